//! The key and certificate of BatchSignature: published constants of the format
//! (docs/spec/securid-token.md section 5.8). They protect nothing, no reader checks them, and the
//! certificate is not even that of the key.

use crypto_bigint::modular::ConstMontyForm;
use crypto_bigint::{U512, U1024, const_monty_params};
use sha1::{Digest, Sha1};

const_monty_params!(
    P,
    U512,
    concat!(
        "f731fde27f4f9e3a612e5d531cc19dc8a169bae0c3017e3dbee056819c16e253",
        "0fdcb1b6d14aa29c1c2e18538d4e74e5b1d769daf7fff5a332d23784e786f037"
    ),
    "One prime of the 1024-bit modulus; the public exponent is 65537."
);
const_monty_params!(
    Q,
    U512,
    concat!(
        "e586d9de9edd7abeb80f2e2e3477d589122947bde14cc628a9423848a447b8c2",
        "0bf893e68140e904e14f744693faeb402f6c13f3700fec3b59a4f6684bcd6edd"
    ),
    "The other prime."
);
type ModP = ConstMontyForm<P, { U512::LIMBS }>;
type ModQ = ConstMontyForm<Q, { U512::LIMBS }>;

/// The private exponent modulo p − 1.
const D_P: U512 = U512::from_be_hex(concat!(
    "33e970bad7279e3ffe56a14ca9f6532f660e712b706868dd88af4e1b6bef365a",
    "613364b2d2e30ca1221de007f3dded18abaf645092d2530091d4a9ca24612723"
));
/// The private exponent modulo q − 1.
const D_Q: U512 = U512::from_be_hex(concat!(
    "393cbaa2086de4c920af306df74996e77aaeeea40c460ff85dd514a210cd8de6",
    "5e03dc26143f729c73ef5368b2485558093b63724694c1ed3efaa333f90b3ec5"
));
/// The inverse of q modulo p.
const Q_INVERSE: ModP = ModP::new(&U512::from_be_hex(concat!(
    "890ba91daf26c450f4ae696185a5826225814f02c79a0c6400c48d5d40955c99",
    "70b75b7986d9eba4726dee01dc418827213f5a559b1fd6e5dd3883b4a422ac8e"
)));

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

/// DigestInfo of a SHA-1 digest, up to the digest (RFC 8017 section 9.2).
const DIGEST_INFO: [u8; 15] = *b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14";

/// RSASSA-PKCS1-v1_5 with SHA-1 over `input`. In whatever time it takes, and with all that follows
/// from the key worked out beforehand: everybody has it.
pub(super) fn sign(input: &[u8]) -> [u8; 128] {
    let digest = [&DIGEST_INFO, &*Sha1::digest(input)].concat();
    let mut encoded = [0xff; 128];
    encoded[..2].copy_from_slice(&[0, 1]);
    encoded[92] = 0;
    encoded[93..].copy_from_slice(&digest);
    power(&U1024::from_be_slice(&encoded)).to_be_bytes().into()
}

/// The private operation, by way of the primes (RFC 8017 section 5.1.2).
fn power(message: &U1024) -> U1024 {
    let (p, q) = (ModP::MODULUS, ModQ::MODULUS);
    let s_p = ModP::new(&message.rem_vartime(p.as_nz_ref())).pow_vartime(&D_P);
    let s_q = ModQ::new(&message.rem_vartime(q.as_nz_ref())).pow_vartime(&D_Q).retrieve();
    let h = s_p.sub(&ModP::new(&s_q)).mul(&Q_INVERSE).retrieve();
    h.concatenating_mul(q.as_ref()).wrapping_add(&s_q.resize())
}

#[cfg(test)]
mod tests {
    use rsa::{BoxedUint, Pkcs1v15Sign, PrivateKey};
    use sha1::{Digest, Sha1};

    #[test]
    fn it_signs_as_a_general_implementation_does() {
        let prime = |prime: &super::U512| BoxedUint::from_be_slice(&prime.to_be_bytes(), 512);
        let primes = [super::ModP::MODULUS, super::ModQ::MODULUS];
        let [p, q] = primes.map(|p| prime(p.as_ref()).unwrap());
        let key = PrivateKey::from_p_q(p, q, BoxedUint::from(65_537_u64)).unwrap();
        for input in [&b""[..], b"TKNHeader", &[0; 1000]] {
            let expected = key.sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(input)).unwrap();
            assert_eq!(super::sign(input)[..], expected);
        }
    }
}
