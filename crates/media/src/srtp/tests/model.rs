//! Replay windows and tables against plain sets.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::replay::ReplayWindow;
use super::super::stream_table::StreamTable;
use super::*;

/// What a window must answer, by RFC 3711 §3.3.2.
fn answer(accepted: &BTreeSet<u64>, index: u64) -> Result<(), SrtpError> {
    let highest = accepted.last().copied().unwrap_or(0);
    if index + REPLAY_WINDOW <= highest {
        Err(SrtpError::TooOld)
    } else if accepted.contains(&index) {
        Err(SrtpError::Replayed)
    } else {
        Ok(())
    }
}

/// Steps that stay near the window's edges, forward and back.
fn steps() -> impl Strategy<Value = Vec<i64>> {
    let step = prop_oneof![
        8 => -3..=4_i64,
        4 => -70..=70_i64,
        2 => -1026..=-1020_i64,
        2 => 1020..=1028_i64,
        1 => 2000..40_000_i64,
    ];
    proptest::collection::vec(step, 1..400)
}

proptest! {
    #[test]
    fn a_window_answers_like_a_set(start in 0..5000_u64, steps in steps()) {
        let (mut window, mut accepted) = (ReplayWindow::new(), BTreeSet::new());
        for step in steps {
            let highest = accepted.last().copied().unwrap_or(start);
            let index = highest.saturating_add_signed(step);
            prop_assert_eq!(window.check(index), answer(&accepted, index), "{} at {}", index, highest);
            if window.check(index).is_ok() {
                window.accept(index);
                accepted.insert(index);
            }
        }
        prop_assert_eq!(window.highest(), accepted.last().copied());
    }

    #[test]
    fn a_receiver_accepts_each_packet_once(start in 0..0x7fff_u64, steps in steps(), retire_every in 5..50_usize) {
        let (sender, mut receiver) = pair(SrtpProfile::AeadAes128Gcm, 30);
        let mut accepted = BTreeSet::new();
        for (count, step) in steps.into_iter().enumerate() {
            let highest = accepted.last().copied().unwrap_or(start);
            let index = highest.saturating_add_signed(step.min(0x7fff));
            let opened = unprotect(&mut receiver, &protect(&sender, 5, index, b"x"));
            if let Ok((_, estimated)) = opened {
                prop_assert_eq!(estimated, index);
                prop_assert!(accepted.insert(index), "{} twice", index);
            }
            if count % retire_every == 0 {
                receiver.retire(5);
            }
        }
    }
}

/// Accepts index 0 of this stream.
fn admit(table: &mut StreamTable, ssrc: u32) -> Result<(), SrtpError> {
    table.with_window(ssrc, |window| {
        window.check(0)?;
        window.accept(0);
        Ok(())
    })
}

#[test]
fn a_full_table_refuses_and_forgets_nothing() {
    let mut table = StreamTable::default();
    for ssrc in 0..SSRC_MAX as u32 {
        assert_eq!(admit(&mut table, ssrc), Ok(()));
    }
    assert_eq!(admit(&mut table, u32::MAX), Err(SrtpError::SsrcTableFull));
    assert_eq!(admit(&mut table, 0), Err(SrtpError::Replayed), "known streams go on");
    table.retire(0);
    assert_eq!(admit(&mut table, 0), Err(SrtpError::Replayed), "retired is not forgotten");
    assert_eq!(admit(&mut table, u32::MAX), Ok(()), "retirement makes room");
}

#[test]
fn retirement_is_bounded() {
    let mut table = StreamTable::default();
    for ssrc in 0..=RETIRED_MAX as u32 {
        assert_eq!(admit(&mut table, ssrc), Ok(()));
        table.retire(ssrc);
    }
    assert_eq!(table.len(), 1, "the last one had to stay");
    assert_eq!(admit(&mut table, RETIRED_MAX as u32), Err(SrtpError::Replayed));
    assert_eq!(admit(&mut table, 0), Err(SrtpError::Replayed));
}

#[test]
fn strangers_leave_no_trace() {
    let (_, mut receiver) = pair(SrtpProfile::Aes128CmSha1_80, 31);
    for ssrc in 0..100 {
        let mut packet = [header(ssrc, 1).as_slice(), &[0; 40]].concat();
        assert_eq!(receiver.unprotect_rtp(&mut packet, 12), Err(SrtpError::Auth));
        assert_eq!(receiver.unprotect_rtcp(&mut [0x80 | ssrc as u8; 40]), Err(SrtpError::Auth));
    }
    assert_eq!((receiver.rtp_streams(), receiver.rtcp_streams()), (0, 0));
}
