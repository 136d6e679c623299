//! The private operation with OAEP, by both libraries.

use criterion::{Criterion, criterion_group, criterion_main};
use ctkip_core::SecretNonce;
use ctkip_core::crypto::{NonceKey, Padding, RsaPrivateKey, RsaPublicKey, Scheme};
use ctkip_openssl::OpensslKey;
use getrandom::SysRng;

fn private(criterion: &mut Criterion) {
    for bits in [1024, 2048] {
        let ours = RsaPrivateKey::generate(bits, &mut SysRng).expect("a key");
        measure(criterion, &format!("RustCrypto, {bits}"), ours.public(), &ours);
        let openssl = OpensslKey::generate(bits).expect("a key");
        measure(criterion, &format!("OpenSSL, {bits}"), openssl.public(), &openssl);
    }
}

fn measure(criterion: &mut Criterion, name: &str, public: &RsaPublicKey, key: &impl NonceKey) {
    let r_c = SecretNonce::new(vec![7; 16]);
    let ciphertext = public.encrypt(Padding::OaepSha1, &r_c, &mut SysRng).expect("a ciphertext");
    criterion.benchmark_group("private operation").bench_function(name, |bencher| {
        bencher.iter(|| {
            key.decrypt(Scheme::Rsa(Padding::OaepSha1), &[], &ciphertext, &mut SysRng)
                .expect("it decrypts")
        });
    });
}

criterion_group!(benches, private);
criterion_main!(benches);
