//! What a session costs a server, from `ServerHello` to `ServerFinished`: stored in memory, and
//! sealed into its identifier. Both remember how each of the last 10,000 ended.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ctkip_core::crypto::RsaPrivateKey;
use ctkip_core::message::{Confirmation, Mac, ServerFinished, TokenRecord};
use ctkip_core::service::{
    Answer, End, Entry, MemoryReplayLog, MemorySessions, SealedSessions, SealingKey, Sessions,
};
use ctkip_core::{
    Client, ClientConfig, Credentials, Grant, Pending, PinSettings, Profile, Server, ServerConfig,
    Timestamp,
};
use getrandom::SysRng;
use std::hint::black_box;

/// As many are remembered as begin within this time, in seconds: one begins each second.
const LIFETIME: u64 = 10_000;
const CAPACITY: usize = 20_000;

fn sessions(criterion: &mut Criterion) {
    let key = RsaPrivateKey::generate(1024, &mut SysRng).expect("a supported size");
    let server = Server::new(ServerConfig::new(Profile::SECURID, key.public().clone()));
    let layout = Profile::SECURID.layout;
    let stored = || MemorySessions::new(layout, CAPACITY, LIFETIME);
    let sealing = SealingKey::generate(&mut SysRng).expect("random octets");
    let log = MemoryReplayLog::new(CAPACITY);
    let sealed = SealedSessions::new(&server, &sealing, LIFETIME, log, stored());
    measure(criterion, "stored", &server, &stored());
    measure(criterion, "sealed", &server, &sealed);
}

fn measure(criterion: &mut Criterion, name: &str, server: &Server, sessions: &impl Sessions) {
    let mut now = Timestamp(1_800_000_000);
    let mut run = |(pending, answer): (Pending, Answer)| {
        now.0 += 1;
        let id = sessions.open(pending, now, &mut SysRng).expect("room");
        let Entry::Open(pending) = sessions.enter(&id, &[7; 32], now) else { panic!("not open") };
        sessions.leave(&id, End::Answered(Box::new(answer)));
        (id, pending)
    };
    for _ in 0..LIFETIME {
        run((pending(server), answer()));
    }
    criterion.benchmark_group("session").bench_function(name, |bencher| {
        let setup = || (pending(server), answer());
        bencher.iter_batched(setup, |held| black_box(run(held)), BatchSize::SmallInput);
    });
}

fn pending(server: &Server) -> Pending {
    let client = Client::new(ClientConfig::new(Profile::SECURID));
    let hello = client.start(&mut SysRng).expect("random octets").message;
    let offer = server.hello(&hello, Credentials::default(), &mut SysRng).expect("an offer");
    offer.grant(Grant::new(b"enrolment".to_vec()).expect("short")).into_parts().0
}

fn answer() -> Answer {
    let confirmation = Confirmation {
        version: None,
        session_id: None,
        record: TokenRecord { token_id: vec![b'0'; 12], ..TokenRecord::default() },
        mac: Some(Mac { algorithm: None, value: vec![1; 16] }),
    };
    let finished = ServerFinished::Success(Box::new(confirmation));
    Answer { finished, pin: PinSettings::default(), grant: Grant::default() }
}

criterion_group!(benches, sessions);
criterion_main!(benches);
