//! The figure of the page: packets per second on one core, beside each other, as SVG.

use std::fmt::Write as _;

use super::forward::Measured;
use super::matrix::{Device, Via};
use super::subject::Kind;
use super::verdict::headline;

/// Sizes in pixels.
const WIDTH: f64 = 800.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 110.0;
const BAR: f64 = 20.0;
const GROUP_GAP: f64 = 22.0;
const TOP: f64 = 64.0;

/// Kinds with their color; readable on white and on black, and apart for those who don't see red and green.
const KINDS: [(Kind, &str); 3] =
    [(Kind::Mediasoup, "#9a9a9a"), (Kind::Mafalda, "#d9822b"), (Kind::Prototype, "#4a7fb5")];

/// A bar.
#[derive(Debug, Clone, PartialEq)]
struct Bar {
    label: &'static str,
    color: &'static str,
    value: f64,
}

/// The chart of a run; `None` where nobody's highest rate was looked for on the null device.
pub(super) fn draw(measured: &[Measured]) -> Option<String> {
    let group = |(via, name, burst): (Via, &str, u16)| {
        let bar = |(kind, color): (Kind, &'static str)| {
            let row = &headline(measured, Device::Null, via, burst, kind)?.row;
            Some(Bar { label: kind.name(), color, value: row.packets_per_s_max? })
        };
        let bars: Vec<Bar> = KINDS.into_iter().filter_map(bar).collect();
        (format!("{name}, {burst} at a time"), bars)
    };
    let ways = [(Via::WebRtcServer, "one socket"), (Via::Plain, "a socket each")];
    let cases = ways.into_iter().flat_map(|(via, name)| [16, 4, 1].map(|burst| (via, name, burst)));
    let groups: Vec<_> = cases.map(group).filter(|(_, bars)| !bars.is_empty()).collect();
    (!groups.is_empty()).then(|| svg(&groups))
}

fn svg(groups: &[(String, Vec<Bar>)]) -> String {
    let values = groups.iter().flat_map(|(_, bars)| bars).map(|bar| bar.value);
    let scale = (WIDTH - LEFT - RIGHT) / values.fold(1.0, f64::max);
    let mut body = String::new();
    let mut y = TOP;
    for (name, bars) in groups {
        let middle = y + bars.len() as f64 * BAR / 2.0;
        text(&mut body, (8.0, middle + 5.0), "start", "bold", name);
        for bar in bars {
            let width = bar.value * scale;
            let _ = writeln!(
                body,
                r#"  <rect x="{LEFT}" y="{y:.0}" width="{width:.1}" height="{:.0}" fill="{}"/>"#,
                BAR - 3.0,
                bar.color
            );
            let label = format!("{} {}", thousands(bar.value), bar.label);
            text(&mut body, (LEFT + width + 6.0, y + 13.0), "start", "normal", &label);
            y += BAR;
        }
        y += GROUP_GAP;
    }
    let height = y;
    let mut head = String::new();
    text(&mut head, (8.0, 22.0), "start", "bold", "Packets per second that one core forwards");
    let subtitle =
        "1,200 bytes, SRTP with AES-GCM, 100 Consumers, device with UDP segmentation, loss at most 0.5 %";
    text(&mut head, (8.0, 42.0), "start", "normal", subtitle);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n  <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n{head}{body}</svg>\n"
    )
}

fn text(out: &mut String, (x, y): (f64, f64), anchor: &str, weight: &str, text: &str) {
    // Writing to a string can't fail.
    let _ = writeln!(
        out,
        r##"  <text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-weight="{weight}" fill="#222">{text}</text>"##
    );
}

/// In thousands, which is as exact as it is.
fn thousands(value: f64) -> String {
    if value >= 999_500.0 { format!("{:.2} M", value / 1e6) } else { format!("{:.0} k", value / 1e3) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(value: f64) -> Bar {
        Bar { label: "x", color: "#000", value }
    }

    #[test]
    fn bars_are_as_long_as_their_values() {
        let svg =
            svg(&[("a".into(), vec![bar(1_000_000.0), bar(500_000.0)]), ("b".into(), vec![bar(250_000.0)])]);
        for width in ["width=\"500.0\"", "width=\"250.0\"", "width=\"125.0\""] {
            assert_eq!(svg.matches(width).count(), 1, "{width} in {svg}");
        }
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert_eq!(svg.matches("<text").count(), 2 + 2 + 3);
        assert_eq!(svg.matches('<').count(), svg.matches('>').count());
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(thousands(89_400.0), "89 k");
        assert_eq!(thousands(999_600.0), "1.00 M");
        assert_eq!(thousands(1_612_000.0), "1.61 M");
    }

    #[test]
    fn nothing_measured_is_nothing_drawn() {
        assert_eq!(draw(&[]), None);
    }
}
