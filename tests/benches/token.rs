//! Tokencodes, and token files.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ctkip_token::{
    Digits, ExpiryDay, Flags, Interval, PinMode, Seed, Serial, Token, Unlock, ctf, read_file, sdtid,
};
use getrandom::SysRng;

fn token() -> Token {
    let flags = Flags::new(Digits::default(), Interval::Sixty, PinMode::Add);
    let expiry = ExpiryDay::from_date("2031-02-28").expect("a date");
    Token::new(Serial::new("467550051505").expect("a serial"), Seed::new([7; 16]), flags, expiry)
}

fn codes(criterion: &mut Criterion) {
    let token = token();
    let mut group = criterion.benchmark_group("token");
    group.throughput(Throughput::Elements(1));
    let mut time = 1_800_000_000;
    group.bench_function("tokencode", |bencher| {
        bencher.iter(|| {
            time += 60;
            token.tokencode(time, None)
        });
    });
}

fn files(criterion: &mut Criterion) {
    let token = token();
    let mut group = criterion.benchmark_group("token");
    let options = sdtid::WriteOptions::default();
    let document = sdtid::write(&token, &options, &mut SysRng).expect("an sdtid document");
    let digits = ctf::write(&token, ctf::Form::Plain, &Unlock::NONE).expect("81 digits");
    group.bench_function("read sdtid", |bencher| {
        bencher.iter(|| read_file(document.as_bytes(), &Unlock::NONE));
    });
    group.bench_function("write sdtid, signed", |bencher| {
        bencher.iter(|| sdtid::write(&token, &options, &mut SysRng));
    });
    group.bench_function("read 81 digits", |bencher| {
        bencher.iter(|| read_file(digits.as_bytes(), &Unlock::NONE));
    });
}

criterion_group!(tokens, codes, files);
criterion_main!(tokens);
