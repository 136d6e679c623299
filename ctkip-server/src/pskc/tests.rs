use aes::{Aes128, Aes256};
use base64::{Engine, engine::general_purpose::STANDARD};
use cbc::{
    Decryptor,
    cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7},
};
use hmac::Hmac;
use pbkdf2::pbkdf2_hmac;
use rand_core::{TryCryptoRng, TryRng};
use roxmltree::{Document, Node};
use sha1::Sha1;
use sha2::Sha256;

use super::{
    seal::{ContentKey, mac},
    xml::{common_name, date},
    *,
};

/// Octets 1, 2, 3 and so on; fails when `left` are used up.
struct Counting {
    next: u8,
    left: usize,
}

impl Counting {
    fn new(left: usize) -> Self {
        Self { next: 0, left }
    }
}

#[derive(Debug)]
struct Empty;

impl fmt::Display for Empty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("empty")
    }
}

impl std::error::Error for Empty {}

impl TryRng for Counting {
    type Error = Empty;

    fn try_next_u32(&mut self) -> Result<u32, Empty> {
        let mut octets = [0; 4];
        self.try_fill_bytes(&mut octets).map(|()| u32::from_be_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, Empty> {
        let mut octets = [0; 8];
        self.try_fill_bytes(&mut octets).map(|()| u64::from_be_bytes(octets))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Empty> {
        self.left = self.left.checked_sub(to.len()).ok_or(Empty)?;
        to.fill_with(|| {
            self.next = self.next.wrapping_add(1);
            self.next
        });
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

const SEED: [u8; 16] = [0x5A; 16];
const KEY: PskcKey<'_> = PskcKey {
    serial: "000123456789",
    manufacturer: "iana.Example",
    issuer: "Example & Sons",
    user: "alice",
    service: "VPN",
    seed: &SEED,
    digits: 8,
    interval: 60,
    start: Some("2026-11-25"),
    expiry: Some("2031-02-28"),
    device: Some("a01c4380-fc01"),
};
const SHARED: Encryption<'_> = Encryption::PreSharedKey { name: "shared", key: &[7; 16] };
const PASSWORD: Encryption<'_> =
    Encryption::Password { password: "correct horse", iterations: MIN_ITERATIONS };

fn written(keys: &[PskcKey<'_>], encryption: &Encryption<'_>) -> Result<String, PskcError> {
    write(keys, encryption, &mut Counting::new(10_000))
}

fn open(key: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (iv, ciphertext) = sealed.split_first_chunk::<16>()?;
    let mut buffer = ciphertext.to_vec();
    let plain = if key.len() == 16 {
        let decryptor = Decryptor::<Aes128>::new_from_slices(key, iv).ok()?;
        decryptor.decrypt_padded::<Pkcs7>(&mut buffer).ok()?
    } else {
        let decryptor = Decryptor::<Aes256>::new_from_slices(key, iv).ok()?;
        decryptor.decrypt_padded::<Pkcs7>(&mut buffer).ok()?
    };
    Some(plain.to_vec())
}

fn base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

/// Elements of this name, in the document's order.
fn all<'a, 'i>(document: &'a Document<'i>, name: &str) -> Vec<Node<'a, 'i>> {
    document.descendants().filter(|node| node.tag_name().name() == name).collect()
}

fn texts(document: &Document<'_>, name: &str) -> Vec<String> {
    all(document, name).iter().map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

/// The MAC key, and seeds with whether their MACs hold.
type Opened = (Vec<u8>, Vec<(Vec<u8>, bool)>);

/// Opens a document of ours.
fn opened(document: &str, key: &[u8]) -> Option<Opened> {
    let document = Document::parse(document).unwrap();
    let values: Vec<_> =
        texts(&document, "CipherValue").iter().map(|value| base64(value)).collect();
    let macs = texts(&document, "ValueMAC");
    let (sealed_mac_key, sealed_seeds) = values.split_first()?;
    assert_eq!(sealed_seeds.len(), macs.len());
    let mac_key = open(key, sealed_mac_key)?;
    let mut seeds = Vec::new();
    for (sealed, value_mac) in sealed_seeds.iter().zip(macs) {
        let good = mac::<Hmac<Sha256>>(&mac_key, sealed)? == base64(&value_mac);
        seeds.push((open(key, sealed)?, good));
    }
    Some((mac_key, seeds))
}

/// RFC 6030 figure 6: AES-128 under a pre-shared key, HMAC-SHA-1.
#[test]
fn rfc6030_figure_6() {
    let key = [0x12, 0x34, 0x56, 0x78, 0x90].repeat(4)[..16].to_vec();
    let key_of_mac = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0x00].repeat(2);
    let mac_key = base64("ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX");
    let secret = base64("AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv");

    assert_eq!(open(&key, &mac_key).unwrap(), key_of_mac);
    assert_eq!(open(&key, &secret).unwrap(), b"12345678901234567890");
    assert_eq!(STANDARD.encode(mac::<Hmac<Sha1>>(&key_of_mac, &secret).unwrap()), MAC_6);
    let content = ContentKey::shared(&key).unwrap();
    for (sealed, plain) in [(&mac_key, &*key_of_mac), (&secret, b"12345678901234567890")] {
        let iv = sealed.first_chunk().unwrap();
        assert_eq!(&content.seal_with(iv, plain).unwrap(), sealed);
    }
}

const MAC_6: &str = "Su+NvtQfmvfJzF6bmQiJqoLRExc=";

/// RFC 6030 figure 7: AES-128 under a password, PBKDF2 and MAC with HMAC-SHA-1.
#[test]
fn rfc6030_figure_7() {
    let mut key = [0; 16];
    pbkdf2_hmac::<Sha1>(b"qwerty", &base64("Ej7/PEpyEpw="), 1000, &mut key);
    let mac_key = base64("2GTTnLwM3I4e5IO5FkufoOEiOhNj91fhKRQBtBJYluUDsPOLTfUvoU2dStyOwYZx");
    let secret = base64("oTvo+S22nsmS2Z/RtcoF8Hfh+jzMe0RkiafpoDpnoZTjPYZu6V+A4aEn032yCr4f");

    let key_of_mac = open(&key, &mac_key).unwrap();
    let plain = open(&key, &secret).unwrap();
    assert_eq!(plain, b"12345678901234567890");
    assert_eq!(
        STANDARD.encode(mac::<Hmac<Sha1>>(&key_of_mac, &secret).unwrap()),
        "LP6xMvjtypbfT9PdkJhBZ+D6O4w="
    );
    let content = ContentKey::shared(&key).unwrap();
    assert_eq!(content.seal_with(secret.first_chunk().unwrap(), &plain).unwrap(), secret);
}

#[test]
fn a_shared_key_opens_the_seeds() {
    let other = PskcKey { serial: "2", seed: &[0xA5; 16], ..KEY };
    for key in [&[7; 16][..], &[9; 32]] {
        let encryption = Encryption::PreSharedKey { name: "shared", key };
        let text = written(&[KEY, other], &encryption).unwrap();
        let (mac_key, seeds) = opened(&text, key).unwrap();
        assert_eq!(mac_key, (1..=32).collect::<Vec<u8>>());
        assert_eq!(seeds, [(SEED.to_vec(), true), (vec![0xA5; 16], true)]);
        let bits = key.len() * 8;
        let uri = format!("\"http://www.w3.org/2001/04/xmlenc#aes{bits}-cbc\"");
        assert_eq!(text.matches(&uri).count(), 3);
    }
}

#[test]
fn a_password_opens_the_seeds() {
    let text = written(&[KEY], &PASSWORD).unwrap();
    let document = Document::parse(&text).unwrap();
    let params = all(&document, "PBKDF2-params")[0];
    // RFC 8018 appendix C: the children have no namespace, the order is this one.
    let children: Vec<_> = params.children().filter(Node::is_element).collect();
    let names: Vec<_> = children.iter().map(|child| child.tag_name()).collect();
    assert!(names.iter().all(|name| name.namespace().is_none()));
    assert_eq!(
        names.iter().map(|name| name.name()).collect::<Vec<_>>(),
        ["Salt", "IterationCount", "KeyLength", "PRF"]
    );
    let hmac = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
    for (name, uri) in [
        ("PRF", hmac),
        ("MACMethod", hmac),
        (
            "KeyDerivationMethod",
            "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2",
        ),
    ] {
        assert_eq!(all(&document, name)[0].attribute("Algorithm"), Some(uri), "{name}");
    }
    assert_eq!(texts(&document, "KeyLength"), ["32"]);
    let salt = base64(&texts(&document, "Specified")[0]);
    assert_eq!(salt, (1..=16).collect::<Vec<u8>>());
    let iterations = texts(&document, "IterationCount")[0].parse().unwrap();
    let mut key = [0; 32];
    pbkdf2_hmac::<Sha256>(b"correct horse", &salt, iterations, &mut key);
    assert_eq!(opened(&text, &key).unwrap().1, [(SEED.to_vec(), true)]);
}

#[test]
fn a_flipped_bit_breaks_the_mac() {
    let text = written(&[KEY], &SHARED).unwrap();
    let document = Document::parse(&text).unwrap();
    let value = texts(&document, "CipherValue").pop().unwrap();
    // In the IV, where CBC would not tell.
    let mut sealed = base64(&value);
    sealed[3] ^= 1;
    let broken = text.replace(&value, &STANDARD.encode(&sealed));
    let mut seed = SEED;
    seed[3] ^= 1;
    assert_eq!(opened(&broken, &[7; 16]).unwrap().1, [(seed.to_vec(), false)]);
}

#[test]
fn no_iv_is_used_twice() {
    let text = written(&[KEY, KEY, KEY], &SHARED).unwrap();
    let document = Document::parse(&text).unwrap();
    let mut ivs: Vec<_> =
        texts(&document, "CipherValue").iter().map(|value| base64(value)[..16].to_vec()).collect();
    ivs.sort();
    ivs.dedup();
    assert_eq!(ivs.len(), 4);
}

/// The order of RFC 6030 section 11, for a key with everything and one with the least.
#[test]
fn elements_stand_in_the_order_of_the_schema() {
    let least = PskcKey {
        manufacturer: "",
        issuer: "",
        user: "",
        service: "",
        start: None,
        expiry: None,
        device: None,
        ..KEY
    };
    let text = written(&[KEY, least], &SHARED).unwrap();
    let document = Document::parse(&text).unwrap();
    let names = |node: Node<'_, '_>| -> Vec<String> {
        node.children()
            .filter(Node::is_element)
            .map(|child| child.tag_name().name().to_owned())
            .collect()
    };
    let root = document.root_element();
    let pskc = Some("urn:ietf:params:xml:ns:keyprov:pskc");
    assert_eq!((root.tag_name().name(), root.tag_name().namespace()), ("KeyContainer", pskc));
    assert_eq!(root.attribute("Version"), Some("1.0"));
    assert_eq!(names(root), ["EncryptionKey", "MACMethod", "KeyPackage", "KeyPackage"]);
    let of = |name, index: usize| names(all(&document, name)[index]);
    assert_eq!(of("KeyPackage", 0), ["DeviceInfo", "Key"]);
    assert_eq!(of("DeviceInfo", 0), ["Manufacturer", "SerialNo", "DeviceBinding"]);
    assert_eq!(of("DeviceInfo", 1), ["SerialNo"]);
    assert_eq!(
        of("Key", 0),
        ["Issuer", "AlgorithmParameters", "FriendlyName", "Data", "UserId", "Policy"]
    );
    assert_eq!(of("Key", 1), ["AlgorithmParameters", "Data", "Policy"]);
    assert_eq!(of("Data", 0), ["Secret", "TimeInterval"]);
    assert_eq!(of("Secret", 0), ["EncryptedValue", "ValueMAC"]);
    assert_eq!(of("EncryptedValue", 0), ["EncryptionMethod", "CipherData"]);
    assert_eq!(of("Policy", 0), ["StartDate", "ExpiryDate", "KeyUsage"]);
    assert_eq!(of("Policy", 1), ["KeyUsage"]);

    let key = all(&document, "Key")[0];
    assert_eq!(
        (key.attribute("Id"), key.attribute("Algorithm")),
        (Some(KEY.serial), Some(ALGORITHM))
    );
    let format = all(&document, "ResponseFormat")[0];
    assert_eq!(
        (format.attribute("Encoding"), format.attribute("Length")),
        (Some("DECIMAL"), Some("8"))
    );
    for (name, value) in [
        ("SerialNo", KEY.serial),
        ("Manufacturer", KEY.manufacturer),
        ("Issuer", KEY.issuer),
        ("FriendlyName", KEY.service),
        ("UserId", "CN=alice"),
        ("DeviceBinding", "a01c4380-fc01"),
        ("PlainValue", "60"),
        ("StartDate", "2026-11-25T00:00:00Z"),
        ("ExpiryDate", "2031-02-28T23:59:59Z"),
        ("KeyUsage", "OTP"),
        ("KeyName", "shared"),
    ] {
        assert_eq!(texts(&document, name)[0], value, "{name}");
    }
}

#[test]
fn texts_come_out_as_they_went_in() {
    let hostile = "<&>\",+=é]]>'; \u{1F511}";
    let key = PskcKey {
        serial: hostile,
        manufacturer: hostile,
        issuer: hostile,
        user: hostile,
        service: hostile,
        device: Some(hostile),
        ..KEY
    };
    let encryption = Encryption::PreSharedKey { name: hostile, key: &[7; 16] };
    let text = written(&[key], &encryption).unwrap();
    let document = Document::parse(&text).unwrap();
    for name in ["SerialNo", "Manufacturer", "Issuer", "FriendlyName", "DeviceBinding", "KeyName"] {
        assert_eq!(texts(&document, name), [hostile], "{name}");
    }
    assert_eq!(all(&document, "Key")[0].attribute("Id"), Some(hostile));
    assert_eq!(texts(&document, "UserId"), [r#"CN=\<&\>\"\,\+=é]]\>'\; 🔑"#]);
}

#[test]
fn names_are_escaped() {
    for (name, escaped) in [
        ("", ""),
        ("alice", "CN=alice"),
        ("  ", r"CN=\20\20"),
        (" # a ", r"CN=\20\# a\20"),
        ("#1#", r"CN=\#1#"),
        ("a\u{A0}", r"CN=a\C2\A0"),
        ("a\\b", r"CN=a\\b"),
        ("é=\"+,;<>", r#"CN=é=\"\+\,\;\<\>"#),
    ] {
        assert_eq!(common_name(name), escaped);
    }
}

#[test]
fn dates_are_days() {
    for good in ["2026-11-25", "2028-02-29", "2000-02-29", "0001-01-01", "10889-08-17"] {
        assert!(date(good), "{good}");
    }
    for bad in [
        "",
        "2026",
        "2026-11",
        "2026-11-25T00:00:00Z",
        "2026-11-31",
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "2027-02-29",
        "2100-02-29",
        "0000-01-01",
        "02026-01-01",
        "2026-1-01",
        "+2026-01-01",
        "2026-01-01 ",
        "-2026-01-01",
        "100000-01-01",
        "99999999999-01-01",
        "२०२६-01-01",
    ] {
        assert!(!date(bad), "{bad}");
    }
}

#[test]
fn control_characters_are_refused() {
    for bad in ["\0", "a\tb", "a\n", "\r", "\u{7F}", "\u{85}", "\u{FFFE}", "\u{FFFF}"] {
        for (what, key) in [
            ("serial number", PskcKey { serial: bad, ..KEY }),
            ("manufacturer", PskcKey { manufacturer: bad, ..KEY }),
            ("issuer", PskcKey { issuer: bad, ..KEY }),
            ("user", PskcKey { user: bad, ..KEY }),
            ("service", PskcKey { service: bad, ..KEY }),
            ("device", PskcKey { device: Some(bad), ..KEY }),
        ] {
            assert_eq!(written(&[KEY, key], &SHARED), Err(PskcError::Text { index: 1, what }));
        }
        let encryption = Encryption::PreSharedKey { name: bad, key: &[7; 16] };
        assert_eq!(written(&[KEY], &encryption), Err(PskcError::KeyName));
    }
}

#[test]
fn unusable_input_is_refused() {
    let key = |key| written(&[key], &SHARED);
    assert_eq!(written(&[], &SHARED), Err(PskcError::NoKeys));
    let what = "serial number";
    assert_eq!(key(PskcKey { serial: "", ..KEY }), Err(PskcError::Text { index: 0, what }));
    for seed in [&[][..], &[1; 15], &[1; 17]] {
        assert_eq!(key(PskcKey { seed, ..KEY }), Err(PskcError::Seed { index: 0 }));
    }
    let what = "number of digits";
    assert_eq!(key(PskcKey { digits: 0, ..KEY }), Err(PskcError::Number { index: 0, what }));
    for interval in [0, 1 << 31] {
        let error = PskcError::Number { index: 0, what: "interval" };
        assert_eq!(key(PskcKey { interval, ..KEY }), Err(error));
    }
    let day = Some("2026-02-29");
    let error = |what| Err(PskcError::Date { index: 0, what });
    assert_eq!(key(PskcKey { start: day, ..KEY }), error("start"));
    assert_eq!(key(PskcKey { expiry: day, ..KEY }), error("expiry"));

    let with = |encryption| written(&[KEY], &encryption);
    for octets in [0, 15, 17, 24, 31, 33] {
        let key = vec![7; octets];
        let encryption = Encryption::PreSharedKey { name: "shared", key: &key };
        assert_eq!(written(&[KEY], &encryption), Err(PskcError::KeyLength), "{octets}");
    }
    let name = "";
    assert_eq!(with(Encryption::PreSharedKey { name, key: &[7; 16] }), Err(PskcError::KeyName));
    let (password, iterations) = ("", MIN_ITERATIONS);
    assert_eq!(with(Encryption::Password { password, iterations }), Err(PskcError::EmptyPassword));
    let (password, iterations) = ("correct horse", MIN_ITERATIONS - 1);
    assert_eq!(with(Encryption::Password { password, iterations }), Err(PskcError::Iterations));
}

#[test]
fn random_octets_are_as_documented() {
    for (encryption, needed) in [(SHARED, 48 + 2 * 16), (PASSWORD, 64 + 2 * 16)] {
        assert!(write(&[KEY, KEY], &encryption, &mut Counting::new(needed)).is_ok());
        for left in [0, 15, 47, 63, needed - 1] {
            let result = write(&[KEY, KEY], &encryption, &mut Counting::new(left));
            assert_eq!(result, Err(PskcError::Random), "{left}");
        }
    }
}

#[test]
fn debug_hides_secrets() {
    let key = PskcKey { seed: &[199; 16], ..KEY };
    let encryption = Encryption::PreSharedKey { name: "shared", key: &[199; 16] };
    let shown = format!("{key:?} {encryption:?} {PASSWORD:?}");
    assert!(!shown.contains("199") && !shown.contains("horse"), "{shown}");
    assert!(shown.contains("000123456789") && shown.contains("shared"), "{shown}");
}
