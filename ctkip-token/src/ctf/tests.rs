use super::mac::{mac, short};
use crate::vectors::{octets, octets16, primitives};

#[test]
fn vectors_tokens_securid_mac() {
    primitives("securid_mac", |item| {
        let input = octets(item, "input");
        assert_eq!(mac(&input), octets16(item, "mac"), "{item}");
        assert_eq!(u64::from(short(&input)), item["shortmac"].as_u64().unwrap(), "{item}");
    });
}
