//! A bar chart as SVG.

use std::fmt::Write as _;

/// One bar.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) group: String,
    pub(crate) name: &'static str,
    pub(crate) packets_per_second: f64,
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 170.0;
const RIGHT: f64 = 110.0;
const BAR: f64 = 16.0;
const GAP: f64 = 14.0;
const TOP: f64 = 56.0;

/// Packets per second and core, in groups by case.
pub(crate) fn chart(bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.packets_per_second).fold(1.0, f64::max);
    let mut body = String::new();
    let mut y = TOP;
    let mut group = None;
    for bar in bars {
        if group != Some(&bar.group) {
            y += if group.is_some() { GAP } else { 0.0 };
            group = Some(&bar.group);
            text(&mut body, 12.0, y + 12.0, "start", &bar.group);
        }
        let width = (WIDTH - LEFT - RIGHT) * bar.packets_per_second / most;
        let _ = writeln!(
            body,
            r#"<rect x="{LEFT}" y="{y:.1}" width="{width:.1}" height="{:.1}" fill="{}"/>"#,
            BAR - 2.0,
            color(bar.name),
        );
        let label = format!("{} {:.0}k", bar.name, bar.packets_per_second / 1000.0);
        text(&mut body, LEFT + width + 6.0, y + 12.0, "start", &label);
        y += BAR;
    }
    let height = y + 16.0;
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {:.0}" font-family="sans-serif" font-size="12">"#,
            "\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
            "<text x=\"12\" y=\"24\" font-size=\"16\" fill=\"#1b2430\">Forwarded packets per second and core</text>\n",
            "<text x=\"12\" y=\"42\" fill=\"#5a6675\">1 / CPU time per packet of 1,200 bytes, device with UDP segmentation</text>\n",
            "{}</svg>\n"
        ),
        WIDTH, height, body
    )
}

fn text(body: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        body,
        r##"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" fill="#1b2430">{text}</text>"##
    );
}

fn color(name: &str) -> &'static str {
    match name {
        "mafalda" => "#2f6fde",
        "prototype" => "#b8c4d4",
        _ => "#e08a3c",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_width_and_text_is_escaped() {
        let bar = |group: &str, packets_per_second| Bar {
            group: group.into(),
            name: "mafalda",
            packets_per_second,
        };
        let svg = chart(&[bar("a<b", 1000.0), bar("c", 2000.0)]);
        assert!(
            svg.contains("a&lt;b") && svg.contains(r#"width="480.0""#) && svg.contains(r#"width="240.0""#)
        );
        assert!(svg.ends_with("</svg>\n"));
    }
}
