//! Inputs meant to harm: each is refused soon and in little memory.

use ctkip_token::{Error, ErrorKind, MAX_FILE, Unlock, read_batch, read_file, sdtid};
use std::time::{Duration, Instant};

/// What a linear reader needs for 16 MiB, many times over; what a quadratic one never makes.
const SOON: Duration = Duration::from_secs(120);

fn refused(content: &str) -> Error {
    let start = Instant::now();
    let error = read_file(content.as_bytes(), &Unlock::NONE).unwrap_err();
    let batch = read_batch(content.as_bytes(), &Unlock::NONE);
    assert!(batch.is_err() || batch.unwrap().iter().all(Result::is_err));
    assert!(start.elapsed() < SOON, "{error} took {:?}", start.elapsed());
    error
}

/// A document with something inside its TKN.
fn document(dtd: &str, inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>{dtd}<TKNBatch><TKNHeader><Origin>N/A</Origin></TKNHeader>\
         <TKN>{inside}</TKN><TKNTrailer></TKNTrailer></TKNBatch>"
    )
}

#[test]
fn entities_are_refused_before_parsing() {
    let mut bomb = String::from("<!DOCTYPE TKNBatch [<!ENTITY a0 \"ha\">");
    for level in 1..100 {
        let below = format!("&a{};", level - 1).repeat(10);
        bomb += &format!("<!ENTITY a{level} \"{below}\">");
    }
    for dtd in [
        format!("{bomb}]>").as_str(),
        "<!DOCTYPE TKNBatch [<!ENTITY sn \"123\">]>",
        "<!DOCTYPE TKNBatch [<!ENTITY sn SYSTEM \"file:///etc/hostname\">]>",
        "<!DOCTYPE TKNBatch [<!ENTITY % p SYSTEM \"http://127.0.0.1/\"> %p;]>",
    ] {
        let error = refused(&document(dtd, "<SN>&sn;&a99;</SN>"));
        assert!(error.to_string().contains("declares entities"), "{error}");
    }
}

#[test]
fn depth_is_bounded() {
    for depth in [40, 3000, 1_000_000] {
        let inside = "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert_eq!(refused(&document("", &inside)).kind(), ErrorKind::TooLarge, "{depth}");
        // The end tags missing as well.
        assert_eq!(refused(&document("", &"<a>".repeat(depth))).kind(), ErrorKind::Garbled);
    }
}

#[test]
fn sizes_are_bounded() {
    let large = "x".repeat(MAX_FILE);
    assert_eq!(refused(&document("", &large)).kind(), ErrorKind::TooLarge);
    assert_eq!(sdtid::Batch::parse(&document("", &large)).unwrap_err().kind(), ErrorKind::TooLarge);
    let section = format!("<Note>{}</Note>", "x".repeat(70_000));
    assert_eq!(refused(&document("", &section)).kind(), ErrorKind::TooLarge);
    let elements = "<a/>".repeat(2_000_000);
    assert_eq!(refused(&document("", &elements)).kind(), ErrorKind::Garbled);
}

#[test]
fn long_files_take_linear_time() {
    const LENGTH: usize = 1 << 20;
    for line in [
        "\n",
        "a\n",
        "7\n",
        "ctfData=x\n",
        "ctfData=3D\n",
        "ctfData=3Dx ctfData=x\n",
        "<?xml \n",
        "\u{e9}\n",
        "<?xml version=\"1.0\"?><TKNBatch><![CDATA[\n",
        "<?xml version=\"1.0\"?><TKNBatch><!-- \n",
        "ctfData=A%\n",
        "1-",
        "ctfData=2",
    ] {
        refused(&line.repeat(LENGTH / line.len()));
    }
}

#[test]
fn costly_documents_take_linear_time() {
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=\"\"")).collect();
    refused(&document("", &format!("<SN{attributes}/>")));
    let namespaces: String = (0..20_000).map(|n| format!(" xmlns:n{n}=\"{n}\"")).collect();
    refused(&document("", &format!("<SN{namespaces}>{}</SN>", "<a/>".repeat(1000))));
    let nested: String = (0..50_000).map(|n| format!("<a xmlns:n{n}=\"{n}\">")).collect();
    refused(&document("", &nested));
    let tokens = "</TKN><TKN>".repeat(100_000);
    assert_eq!(refused(&document("", &tokens)), Error::Multiple { count: 100_001 });
}
