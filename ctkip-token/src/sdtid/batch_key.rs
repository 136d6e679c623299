//! The key and certificate of BatchSignature: published constants of the format
//! (docs/spec/securid-token.md section 5.8). They protect nothing, no reader checks them, and the
//! certificate is not even that of the key.

use std::vec::Vec;

use rsa::{BoxedUint, Pkcs1v15Sign, PrivateKey};
use sha1::{Digest, Sha1};

/// The primes of the 1024-bit modulus, hexadecimal; the public exponent is 65537.
const P: &str = concat!(
    "f731fde27f4f9e3a612e5d531cc19dc8a169bae0c3017e3dbee056819c16e253",
    "0fdcb1b6d14aa29c1c2e18538d4e74e5b1d769daf7fff5a332d23784e786f037"
);
const Q: &str = concat!(
    "e586d9de9edd7abeb80f2e2e3477d589122947bde14cc628a9423848a447b8c2",
    "0bf893e68140e904e14f744693faeb402f6c13f3700fec3b59a4f6684bcd6edd"
);

/// BatchCertificate, base64 of DER.
pub(super) const CERTIFICATE: &str = concat!(
    "MIICeTCCAWGgAwIBAgIQM0NFNTU4NTMzMDlGODEzMDANBgkqhkiG9w0BAQQFADBBMT8wPQYDVQQDEzZT",
    "ZWN1cml0eSBEeW5hbWljcyBUZWNobm9sb2dpZXMsIEluYy4gUHJpbWFyeSBDQSBSb290IDEwHhcNMDIw",
    "NTE3MTkyMTU1WhcNMjIwNTEyMTkyMTU1WjA0MTIwMAYDVQQDEylTZWN1cml0eSBEeW5hbWljcyBUZWNo",
    "bm9sb2dpZXMgQUNFL1NlcnZlcjCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEA1np1DIf3HOHAK2ah",
    "cRzZCJsqIC1QMEqtsdanKSEn5CGtLCdLv9LbLUYo6cQxKSJtwvigpeDgBAb/UYcUNXy/7dY7rA5WpYls",
    "aA9h5C9qzPMBHxVGSIe5k61uUbAwdFhCMfLh776wR//VZ7cuypo5d3cCbvgHGwqw4ZuECbKvONMCAwEA",
    "ATANBgkqhkiG9w0BAQQFAAOCAQEAq8MMJs1SczwpfcZqn9loM+2RhFmN1IZiXyevz1VvGD9GUrlLalm/",
    "Et989zR/dVhciGXmAAxYnV/MoZmshjXozmJgjRmfqqHLS46UJ9nLZ2BuEVcrHnn6f9meIjeMWm+Dvh+8",
    "Vi9KJOLozYbDoaUMm+5F7ywKsUuBPRSJ1ykGJG6dOCBZlJGmM3kbZ54lRAK2TYcu2JM21i7BKdeE9xIt",
    "yabJzEk3QCsX0erY7h3V//okIfKWLh8LieoWbV4+VtrQEoiUwyqdYswwgMOyRiKuGTkk3DhHdoqhG8Sq",
    "HSxkPto42hEnpOx9j2rqcsOWosvNyfm9nwkqJfhuJClLwOzw5Q=="
);

/// RSASSA-PKCS1-v1_5 with SHA-1 over `input`, 128 octets. `None` cannot happen with this key.
pub(super) fn sign(input: &[u8]) -> Option<Vec<u8>> {
    let prime = |hex| Option::from(BoxedUint::from_be_hex(hex, 512));
    let key = PrivateKey::from_p_q(prime(P)?, prime(Q)?, BoxedUint::from(65_537_u64)).ok()?;
    key.sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(input)).ok()
}
