use super::*;

fn parameters(profile_level_id: &'static str) -> RtpCodecParametersParameters {
    RtpCodecParametersParameters::from([("profile-level-id", profile_level_id.into())])
}

fn asymmetric(profile_level_id: &'static str) -> RtpCodecParametersParameters {
    let mut parameters = parameters(profile_level_id);
    parameters.insert("level-asymmetry-allowed", 1_u8);
    parameters
}

fn profile(text: &str) -> Option<Profile> {
    ProfileLevelId::parse(text).map(|id| id.profile)
}

fn level(text: &str) -> Level {
    ProfileLevelId::parse(text).unwrap().level
}

#[test]
fn spellings_of_a_profile_are_one() {
    for (profile_wanted, texts) in [
        (Profile::ConstrainedBaseline, &["42e01f", "42C02A", "4de01f", "58f01f", "42f00b"][..]),
        (Profile::Baseline, &["42001f", "42a01f", "58a01f"]),
        (Profile::Main, &["4d0028", "4d400b"]),
        (Profile::Extended, &["58001f"]),
        (Profile::High, &["64002a", "640032"]),
        (Profile::ConstrainedHigh, &["640c1f"]),
        (Profile::High10, &["6e001f"]),
        (Profile::High422, &["7a001f"]),
        (Profile::High444Predictive, &["f4001f"]),
        (Profile::High10Intra, &["6e101f"]),
        (Profile::High422Intra, &["7a101f"]),
        (Profile::High444Intra, &["f4101f"]),
        (Profile::Cavlc444Intra, &["2c101f"]),
    ] {
        for text in texts {
            assert_eq!(profile(text), Some(profile_wanted), "{text}");
        }
    }
}

#[test]
fn nonsense_is_no_profile() {
    for text in [
        "", "42e01", "42e01f0", "42e01g", "+2e01f", "é2e01", "00001f", "42e01e0", "640c00", "64ff1f",
        "42e000",
    ] {
        assert_eq!(profile(text), None, "{text}");
    }
}

#[test]
fn level_1b_lies_between_1_and_1_1() {
    for one_b in ["42f00b", "4d100b", "640009", "f40009"] {
        assert_eq!(level(one_b), Level::ONE_B, "{one_b}");
    }
    assert!(level("42e00a") < Level::ONE_B && Level::ONE_B < level("42e00b"));
    // In High profiles the flag that makes 1b elsewhere means nothing, and the other profiles have no level_idc 9.
    assert_eq!(profile("42e009"), None);
}

#[test]
fn packetization_mode_and_profile_decide_a_match() {
    assert!(is_compatible(&parameters("42e01f"), &parameters("4de034")));
    assert!(!is_compatible(&parameters("42e01f"), &parameters("42001f")));
    assert!(!is_compatible(&parameters("42e01f"), &parameters("junk")));
    assert!(!is_compatible(&parameters("junk"), &parameters("junk")));

    let nothing = RtpCodecParametersParameters::default();
    assert!(is_compatible(&nothing, &nothing));
    assert!(is_compatible(&nothing, &parameters("42e00a")));

    let mut mode_1 = parameters("42e01f");
    mode_1.insert("packetization-mode", 1_u8);
    assert!(!is_compatible(&mode_1, &parameters("42e01f")));
    let mut textual_mode_1 = parameters("42e01f");
    textual_mode_1.insert("packetization-mode", "1");
    assert!(is_compatible(&mode_1, &textual_mode_1));
    let mut mode_0 = parameters("42e01f");
    mode_0.insert("packetization-mode", 0_u8);
    assert!(is_compatible(&mode_0, &parameters("42e01f")));
}

#[test]
fn profile_level_id_may_be_a_number() {
    let number = RtpCodecParametersParameters::from([("profile-level-id", 640_032_u32.into())]);
    assert!(is_compatible(&number, &parameters("64001f")));
    assert!(!is_compatible(&number, &parameters("640c1f")));
    assert_eq!(negotiated_profile_level_id(&number, &parameters("640034")).as_deref(), Some("640032"));
}

#[test]
fn the_lower_level_holds_unless_both_allow_asymmetry() {
    let negotiated = |sender, receiver| negotiated_profile_level_id(&sender, &receiver);
    assert_eq!(negotiated(parameters("42e01f"), parameters("42e015")).as_deref(), Some("42e015"));
    assert_eq!(negotiated(parameters("42e015"), parameters("42e01f")).as_deref(), Some("42e015"));
    assert_eq!(negotiated(asymmetric("42e01f"), parameters("42e015")).as_deref(), Some("42e015"));
    assert_eq!(negotiated(parameters("42e01f"), asymmetric("42e015")).as_deref(), Some("42e015"));
    assert_eq!(negotiated(asymmetric("42e01f"), asymmetric("42e015")).as_deref(), Some("42e01f"));
    assert_eq!(negotiated(asymmetric("42e015"), asymmetric("42e01f")).as_deref(), Some("42e015"));
}

#[test]
fn an_absent_level_is_the_default() {
    let nothing = RtpCodecParametersParameters::default;
    assert_eq!(negotiated_profile_level_id(&nothing(), &nothing()), None);
    assert_eq!(negotiated_profile_level_id(&nothing(), &parameters("42e034")).as_deref(), Some("42e01f"));
    assert_eq!(negotiated_profile_level_id(&parameters("42e034"), &nothing()).as_deref(), Some("42e01f"));
    assert_eq!(negotiated_profile_level_id(&parameters("junk"), &nothing()), None);
}
