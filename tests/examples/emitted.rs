//! Writes every kind of message that we send in RFC 4758's dialect into a folder, for a validator to
//! read: `cargo run -p ctkip-tests --example emitted -- FOLDER`.
#![forbid(unsafe_code)]

use ctkip_core::message::{
    Extension, ExtensionKind, InitializationTrigger, Logo, Message, OtpConfiguration, OtpMode,
    Platform, Refusal, ServerFinished, ServerHello, Status, TokenRecord, Trigger, Version,
};
use ctkip_core::{Client, Credentials, Server, SessionId};
use ctkip_tests::pair::{
    Office, Variant, client_config, octets, record, run, run_seen, server_config, site,
};
use getrandom::SysRng;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: emitted FOLDER");
        return ExitCode::from(2);
    };
    let mut emitted = Emitted { folder: folder.as_ref(), count: 0 };
    emitted.runs();
    emitted.confirmations();
    emitted.server_info();
    emitted.triggers();
    emitted.refusals();
    println!("{} messages", emitted.count);
    ExitCode::SUCCESS
}

struct Emitted<'a> {
    folder: &'a Path,
    count: usize,
}

impl Emitted<'_> {
    fn file(&mut self, name: &str, octets: &[u8]) {
        let file = self.folder.join(format!("{name}.xml"));
        std::fs::write(&file, octets).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.count += 1;
    }

    /// All four messages of every variant of a run.
    fn runs(&mut self) {
        for variant in Variant::all() {
            let site = site(Office::default());
            let mut step = 0;
            run_seen(variant.client(&site), &site, |request, response| {
                step += 1;
                let name = variant.name();
                self.file(&format!("{name}-{step}-request"), &request.body);
                self.file(&format!("{name}-{step}-response"), &response.body);
            })
            .expect("a good run");
        }
    }

    /// What may be said of a token.
    fn confirmations(&mut self) {
        let modes = [
            vec![],
            vec![OtpMode::Time(None)],
            vec![OtpMode::Time(Some("60".into())), OtpMode::Counter, OtpMode::Challenge],
        ];
        let formats = ["Decimal", "Hexadecimal", "Alphanumeric", "Binary"];
        for (format, modes) in formats.into_iter().flat_map(|f| modes.clone().map(|m| (f, m))) {
            let otp = OtpConfiguration {
                format: Some(format.into()),
                length: Some("8".into()),
                modes: modes.clone(),
            };
            let record = TokenRecord {
                key_expiry: Some("2031-02-03T04:05:06Z".into()),
                service_id: Some("a <service> & \"more\"".into()),
                service_logo: Some(Logo {
                    mime_type: "image/gif".into(),
                    octets: vec![71, 73, 70],
                }),
                user_id: Some("é".into()),
                extensions: vec![Extension {
                    critical: modes.is_empty(),
                    kind: ExtensionKind::OtpConfiguration(otp),
                }],
                ..record()
            };
            let site = site(Office { record, ..Office::default() });
            let name = format!("confirmation-{format}-{}", modes.len());
            let mut step = 0;
            run_seen(client_config(), &site, |_, response| {
                step += 1;
                self.file(&format!("{name}-{step}"), &response.body);
            })
            .expect("a good run");
        }
        let random = TokenRecord::with_random_ids(&mut SysRng).expect("random octets");
        let site = site(Office { record: random, ..Office::default() });
        run(client_config(), &site).expect("a good run");
    }

    /// An offer with `ServerInfo`, and the request that brings it back.
    fn server_info(&mut self) {
        let client = Client::new(client_config().client_info(vec![1])).start(&mut SysRng);
        let client = client.expect("it can start");
        let server = Server::new(server_config());
        let offer = server.hello(&client.message, Credentials::default(), &mut SysRng);
        let (_, unnamed) = offer.expect("an offer").server_info(vec![0; 100]).into_parts();
        let hello = unnamed.into_hello(SessionId::new("an <id> & \"more\"".into()));
        self.file("server-info-offer", &octets(&Message::ServerHello(hello.clone())));
        let client = client.state.receive(hello, &mut SysRng).expect("a good offer");
        self.file("server-info-nonce", &octets(&Message::ClientNonce(client.message)));
    }

    fn triggers(&mut self) {
        let some = |octets: &[u8]| Some(octets.to_vec());
        let platforms = [
            None,
            Some((None, None)),
            Some((Some(Platform::Hardware), Some(Platform::Software))),
            Some((None, Some(Platform::Unspecified))),
        ];
        for (number, platform) in platforms.into_iter().enumerate() {
            let wanted = InitializationTrigger {
                token_id: (number > 0).then(|| b"token".to_vec()),
                key_id: if number > 1 { some(b"key") } else { None },
                platform,
                trigger_nonce: vec![9; 16],
                url: (number > 0).then(|| "https://server.example/ctkip?a=b&c=d".into()),
            };
            let trigger = Trigger { version: Some(Version::V1_0), initialization: Some(wanted) };
            self.file(&format!("trigger-{number}"), &octets(&Message::Trigger(trigger)));
        }
    }

    fn refusals(&mut self) {
        for status in Status::ALL {
            if matches!(status, Status::Continue | Status::Success) {
                continue;
            }
            let hello = ServerHello::Refused(Refusal::new(status));
            self.file(&format!("hello-{status}"), &octets(&Message::ServerHello(hello)));
            let session_id = Some(SessionId::new("session".into()));
            let refusal = Refusal { session_id, ..Refusal::new(status) };
            let finished = ServerFinished::Refused(refusal);
            self.file(&format!("finished-{status}"), &octets(&Message::ServerFinished(finished)));
        }
    }
}
