//! The RSA operations of a run, and the derivations beside them.

use criterion::{Criterion, criterion_group, criterion_main};
use ctkip_core::crypto::{NonceKey, Padding, RsaPrivateKey, RsaPublicKey, Scheme};
use ctkip_core::{Prf, Profile, SecretNonce, derive};
use getrandom::SysRng;

const OAEP: Padding = Padding::OaepSha1;

fn rsa(criterion: &mut Criterion) {
    let r_c = SecretNonce::new(vec![0x5A; 16]);
    for bits in [1024, 2048] {
        let key = RsaPrivateKey::generate(bits, &mut SysRng).expect("a supported size");
        let public = key.public();
        let (n, e) = (public.modulus(), public.exponent());
        let ciphertext = public.encrypt(OAEP, &r_c, &mut SysRng).expect("a ciphertext");

        let mut group = criterion.benchmark_group(format!("rsa {bits}"));
        group.bench_function("key from modulus and exponent", |bencher| {
            bencher.iter(|| RsaPublicKey::new(n, e));
        });
        group.bench_function("public operation, OAEP", |bencher| {
            bencher.iter(|| public.encrypt(OAEP, &r_c, &mut SysRng));
        });
        group.bench_function("private operation, OAEP, blinded", |bencher| {
            bencher.iter(|| key.decrypt(Scheme::Rsa(OAEP), &[], &ciphertext, &mut SysRng));
        });
    }
}

fn derivation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("derive");
    let (r_c, r_s) = (SecretNonce::new(vec![0x5A; 16]), [0xA5; 16]);
    let modulus = [0xC3; 256];
    for prf in [Prf::Aes, Prf::Sha256] {
        group.bench_function(format!("K_TOKEN under 2048 bits, {prf:?}"), |bencher| {
            bencher.iter(|| derive::token_key(&Profile::SECURID, prf, &r_c, &modulus, &r_s, 16));
        });
        group.bench_function(format!("MAC 2, {prf:?}"), |bencher| {
            bencher.iter(|| derive::mac2(&Profile::SECURID, prf, &r_s, &r_c));
        });
    }
}

criterion_group!(crypto, rsa, derivation);
criterion_main!(crypto);
