//! Every recorded exchange, replayed through our client and our server; and the same with each knob
//! of the deployed dialect turned, which has to break something.

use ctkip_core::{
    Counter, Departure, EncryptionAlgorithm, KeyInput, Layout, MacAlgorithmPlace, MacLabels,
    MacLength, Namespace, Prf, Profile, Reading, Rsa15, UntypedExtension,
};
use ctkip_tests::recording::{Mismatch, Recording};
use ctkip_tests::vectors;

#[test]
fn vectors_exchanges_client_and_server() {
    let Some(recordings) = vectors::folder("exchanges") else { return };
    let mut failures = Vec::new();
    let [mut clients, mut servers, mut derivations] = [0, 0, 0];
    for (name, value) in &recordings {
        let recording = Recording(value);
        let mut count =
            |side: &str, result: Result<bool, Mismatch>, counter: &mut usize| match result {
                Ok(ran) => *counter += usize::from(ran),
                Err(mismatch) => failures.push(format!("{name}, {side}: {mismatch}")),
            };
        count("client", recording.check_client(&Profile::SECURID), &mut clients);
        count("server", recording.check_server(&Profile::SECURID), &mut servers);
        count("derivation", recording.check_derivation(&Profile::SECURID), &mut derivations);
    }
    println!(
        "exchanges: {} recordings; {clients} clients, {servers} servers, {derivations} derivations as expected",
        recordings.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(clients > 0 && servers > 0 && derivations > 0, "nothing ran");
}

/// The deployed dialect with one thing changed.
type Turned = (&'static str, fn(&mut Profile));

const KNOBS: &[Turned] = &[
    ("client_namespace", |p| p.client_namespace = Namespace::Rfc4758),
    ("server_namespace", |p| p.server_namespace = Namespace::Draft2005_11),
    ("layout", |p| p.layout = Layout::Schema),
    ("mac_algorithm_place", |p| {
        p.mac_algorithm_place = MacAlgorithmPlace::AfterEncryptionAlgorithm;
    }),
    ("finished_has_version", |p| p.finished_has_version = true),
    ("echo_server_nonce", |p| p.echo_server_nonce = false),
    ("untyped_extension", |p| p.untyped_extension = UntypedExtension::Unknown),
    ("mac_name_offered", |p| p.mac_name_offered = Namespace::Rfc4758),
    ("mac_name_selected", |p| p.mac_name_selected = Namespace::Rfc4758),
    ("mac_name_in_mac", |p| p.mac_name_in_mac = Namespace::Draft2005_11),
    ("key_input", |p| p.key_input = KeyInput::LabelFirst),
    ("counter", |p| p.counter = Counter::Prefix),
    ("mac_labels", |p| p.mac_labels = MacLabels::SmallC),
    // RFC 4758's own value (as long as the nonce) agrees wherever R_C has 16 octets, which is
    // everywhere on the wire; prf.json tells the two apart.
    ("mac_length", |p| p.mac_length = MacLength::Octets(20)),
    ("client_encryption", |p| p.client_encryption = &[EncryptionAlgorithm::RsaOaep]),
    ("server_encryption", |p| p.server_encryption = &[EncryptionAlgorithm::RsaOaep]),
    ("mac_algorithms", |p| p.mac_algorithms = &[Prf::Sha256]),
    ("rsa_1_5", |p| p.rsa_1_5 = Rsa15::Pkcs1v15),
    ("min_key_bits", |p| p.min_key_bits = 2048),
    ("reading.namespaces", |p| p.reading.namespaces = &[Namespace::Rfc4758]),
    ("reading.max_nonce", |p| p.reading.max_nonce = 16),
    ("reading.max_identifier", |p| p.reading.max_identifier = Reading::LENIENT.max_identifier),
    ("reading.max_message", |p| p.reading.max_message = 1024),
    ("reading.tolerates", |p| p.reading.tolerates = &[]),
];

/// What the reading policy tolerates, one at a time, as far as recordings show it.
fn without(departure: Departure) -> Profile {
    let mut profile = Profile::SECURID;
    let rest: Vec<Departure> =
        profile.reading.tolerates.iter().copied().filter(|other| *other != departure).collect();
    profile.reading.tolerates = rest.leak();
    profile
}

fn breaks(recordings: &[(String, serde_json::Value)], profile: &Profile) -> Option<String> {
    recordings.iter().find_map(|(name, value)| {
        let recording = Recording(value);
        let client = recording.check_client(profile).err();
        let broken = client.or_else(|| recording.check_server(profile).err());
        broken.map(|mismatch| format!("{name}: {mismatch}"))
    })
}

#[test]
fn vectors_exchanges_break_when_one_knob_is_turned() {
    let Some(recordings) = vectors::folder("exchanges") else { return };
    assert_eq!(breaks(&recordings, &Profile::SECURID), None, "the control");
    for (knob, turn) in KNOBS {
        let mut profile = Profile::SECURID;
        turn(&mut profile);
        assert_ne!(profile, Profile::SECURID, "{knob} was not turned");
        let broken = breaks(&recordings, &profile);
        let broken = broken.unwrap_or_else(|| panic!("nothing breaks when {knob} is turned"));
        println!("{knob}: {}", broken.chars().take(100).collect::<String>().replace('\n', " "));
    }
    println!("exchanges: {} knobs turned, each breaks a recording", KNOBS.len());
}

#[test]
fn vectors_exchanges_need_what_the_reading_policy_tolerates() {
    let Some(recordings) = vectors::folder("exchanges") else { return };
    assert_eq!(breaks(&recordings, &Profile::SECURID), None, "the control");
    let needed: Vec<Departure> = Profile::SECURID
        .reading
        .tolerates
        .iter()
        .copied()
        .filter(|departure| breaks(&recordings, &without(*departure)).is_some())
        .collect();
    println!("exchanges: {} departures are needed by recordings: {needed:?}", needed.len());
    assert!(needed.len() >= 8, "too little of the policy is exercised: {needed:?}");
}
