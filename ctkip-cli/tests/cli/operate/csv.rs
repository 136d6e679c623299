//! Many users at once.

use super::{STORE, count, enrol, is_private, run};
use crate::program::{Place, Ran};

const ENROL: [&str; 5] = ["enrol", "--key-bits", "1024", "--csv", "-"];

fn enrol_all(place: &Place, args: &[&str], csv: &str) -> Ran {
    place.run_with_stdin(&[&ENROL[..], args, &STORE].concat(), csv)
}

#[test]
fn a_row_is_an_enrolment() {
    let place = Place::new();
    let csv = "\u{FEFF}Serial, user ,digits,expires,profile\r\n\
               7,\"Doe, Ann\",6,2099-01-02,\r\n,bob,,,rfc4758\r\n";
    let args = ["--public-url", "https://h.example", "--service", "VPN", "--digits", "7"];
    let ran = enrol_all(&place, &args, csv).ended(0).told("2 enrolled").told("clients want 2048");
    let lines: Vec<_> = ran.stdout.lines().collect();
    let [header, ann, bob] = lines[..] else { panic!("{lines:?}") };
    assert_eq!(header, "serial,user,code,expires,link");
    assert!(ann.starts_with("000000000007,\"Doe, Ann\","), "{ann}");
    assert!(ann.contains("com.rsa.securid://ctkip?scheme=https&url=h.example/"), "{ann}");
    assert!(bob.ends_with("Z,") && bob.contains("==,"), "{bob}");
    let listed = run(&place, &["enrolments", "--json"]).ended(0).stdout;
    let listed: Vec<serde_json::Value> =
        listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ann = listed.iter().find(|row| row["serial"] == "000000000007").unwrap();
    assert_eq!((&ann["digits"], &ann["expires"]), (&6.into(), &"2099-01-02".into()));
    let bob = listed.iter().find(|row| row["user"] == "bob").unwrap();
    assert_eq!((&bob["digits"], &bob["service"]), (&7.into(), &"VPN".into()));
}

#[test]
fn all_or_none_and_the_line_is_named() {
    let place = Place::new();
    enrol(&place, &["--serial", "5"]);
    for (csv, what) in [
        ("user,serial\nann,1\nbob,5\n", "line 3: serial number 000000000005 is taken"),
        (
            "user,serial\nann,1\nbob,2\ncarl,01\n",
            "line 4: serial number 000000000001 stands on line 2",
        ),
        ("user,digits\nann,6\nbob,9\n", "line 3: digits: 1 to 8"),
        ("user,digits\nann,6\nbob,x\n", "line 3: digits"),
        ("user,interval\nann,45\n", "line 2: interval: 30 or 60"),
        ("user,expires\nann,2001-01-01\n", "line 2: expires: 2001-01-01 is over"),
        ("user,expires\nann,tomorrow\n", "line 2: expires: "),
        ("user,profile\nann,rfc\n", "line 2: profile: securid or rfc4758"),
        ("user,serial\nann,1\n,2\n", "line 3: user: a name of 1 to 128"),
        ("user,serial\nann,1\nbob\n", "line 3: 1 cells instead of 2"),
        ("name\nann\n", "line 1: \"name\" is no column; there are user, serial,"),
        ("user,user\nann,ann\n", "line 1: there are two columns user"),
        ("serial\n1\n", "line 1: there is no column user"),
        ("user\n", "there are no users"),
        ("", "line 1:"),
    ] {
        let ran = enrol_all(&place, &[], csv).ended(2).told(what);
        assert!(!ran.stdout.contains("ann"), "{}", ran.stdout);
        assert_eq!(count(&place), 1, "{csv:?}");
    }
}

#[test]
fn codes_go_into_a_private_file() {
    let place = Place::new();
    place.write("u.csv", "user\nann\nbob\n");
    let args = ["enrol", "--csv", "u.csv", "--key-bits", "1024", "--out", "codes.csv"];
    let ran = run(&place, &args).ended(0);
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    is_private(&place.path("codes.csv"));
    let text = place.read("codes.csv");
    assert_eq!(text.lines().count(), 3, "{text}");
    run(&place, &args).ended(2).told("codes.csv exists already").told("Nobody was enrolled");
    assert_eq!(count(&place), 2);
    let json = enrol_all(&place, &["--json"], "user\nann\n").ended(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["code"].as_str().unwrap().len(), 12);
}
