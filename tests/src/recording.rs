//! Recorded exchanges of the deployed dialect, replayed through client and server
//! (`vectors/exchanges/README.md`).

use crate::rng::Scripted;
use crate::vectors::{from_hex, octets, to_hex};
use base64::prelude::{BASE64_STANDARD, Engine};
use ctkip_core::crypto::RsaPrivateKey;
use ctkip_core::message::{
    ClientHello, Extension, ExtensionKind, OtpConfiguration, OtpMode, TokenRecord,
};
use ctkip_core::service::{
    Bearer, Commit, Denied, End, Entry, Event, Full, Granted, Handled, Issued, Issuer,
    MemorySessions, NonceDigest, ServerBinding, Service, ServiceRequest, Sessions,
};
use ctkip_core::wire::{Binding, Headers, WireResponse, soap::Soap};
use ctkip_core::{
    ActivationCode, Client, ClientConfig, ClientError, Exchange, Grant, NewToken, Pending,
    PinSettings, Profile, Progress, Server, ServerConfig, SessionId, Timestamp, derive,
};
use rand_core::TryCryptoRng;
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// One recording.
pub struct Recording<'a>(pub &'a Value);

/// What departs from what was recorded.
pub type Mismatch = String;

macro_rules! same {
    ($what:expr, $ours:expr, $recorded:expr) => {
        let (ours, recorded) = (&$ours, &$recorded);
        if ours != recorded {
            return Err(format!("{}: ours {ours:?}, recorded {recorded:?}", $what));
        }
    };
}

impl Recording<'_> {
    fn text(&self, path: &str) -> Option<&str> {
        self.0.pointer(path).and_then(Value::as_str)
    }

    fn secret(&self, name: &str) -> Option<Vec<u8>> {
        self.0.pointer(&format!("/secrets/{name}")).and_then(octets)
    }

    fn is_exact(&self, body: &str) -> bool {
        let exact = self.0["ours"]["exact"].as_array().expect("ours.exact is a list");
        exact.iter().any(|name| name == body)
    }

    fn body(&self, name: &str) -> &str {
        self.0["soap"][name].as_str().unwrap_or_else(|| panic!("soap.{name} is text"))
    }

    fn check_body(&self, name: &str, ours: &[u8]) -> Result<(), Mismatch> {
        if self.is_exact(name) {
            same!(name, String::from_utf8_lossy(ours), self.body(name));
        }
        Ok(())
    }

    /// Replays the client's side, if the recording has one, and says what departs from `ours`.
    ///
    /// # Errors
    /// The first departure.
    pub fn check_client(&self, profile: &Profile) -> Result<bool, Mismatch> {
        let verdict = self.text("/ours/client").expect("ours.client is text");
        if verdict == "not-run" {
            return Ok(false);
        }
        match (verdict, self.run_client(profile)?) {
            ("accept", Ok(token)) => self.check_token(&token)?,
            ("refuse", Err(error)) => {
                if let Some(kind) = self.text("/ours/client_error") {
                    same!("client_error", error.kind().as_str(), kind);
                }
            }
            (_, Ok(_)) => return Err("the client accepts".into()),
            (_, Err(error)) => return Err(format!("the client refuses: {error}")),
        }
        Ok(true)
    }

    fn run_client(&self, profile: &Profile) -> Result<Result<NewToken, ClientError>, Mismatch> {
        let code = ActivationCode::new(self.text("/activation_code").expect("a code").into());
        let soap = Soap::new(code).map_err(|error| error.to_string())?;
        let config = ClientConfig::new(profile.clone()).min_key_bits(
            // The recordings hold keys of any size from the smallest on, to be taken.
            if profile.min_key_bits == Profile::SECURID.min_key_bits {
                512
            } else {
                profile.min_key_bits
            },
        );
        let r_c = self.secret("R_C_hex").unwrap_or_else(|| vec![0x5A; 16]);
        let seed = self.secret("oaep_seed_hex").unwrap_or_else(|| vec![0xA5; 20]);
        let mut rng = Scripted::new(&[&r_c, &seed]).then_anything();

        let (mut exchange, mut request) =
            Exchange::begin(Client::new(config), Binding::Soap(soap), &mut rng)
                .map_err(|error| error.to_string())?;
        let pairs = self.0["http"].as_array().expect("http is a list");
        for (index, pair) in pairs.iter().enumerate() {
            self.check_body(&format!("request{}", index + 1), &request.body)?;
            self.check_headers(&pair["request"], &request.headers)?;
            let response = recorded_response(pair, self.body(&format!("response{}", index + 1)));
            match exchange.receive(&response, &mut rng) {
                Ok(Progress::Send(next, message)) => (exchange, request) = (next, message),
                Ok(Progress::Done(token)) => return Ok(Ok(*token)),
                Err(error) => return Ok(Err(error)),
            }
        }
        Err("the recording ends before our client does".into())
    }

    /// What the core says of headers is what the peer sent, in the same order.
    fn check_headers(&self, recorded: &Value, ours: &Headers) -> Result<(), Mismatch> {
        let recorded: Vec<(String, Vec<u8>)> = headers(recorded)
            .into_iter()
            .filter(|(name, _)| ours.iter().any(|(known, _)| known == name))
            .map(|(name, value)| (name.into_owned(), value))
            .collect();
        let ours: Vec<(String, Vec<u8>)> =
            ours.iter().map(|(name, value)| (name.clone().into_owned(), value.clone())).collect();
        same!("headers", ours, recorded);
        Ok(())
    }

    fn check_token(&self, token: &NewToken) -> Result<(), Mismatch> {
        let expected = &self.0["expected_token"];
        let (record, settings, pin) = (token.record(), token.settings(), token.pin());
        same!(
            "K_TOKEN",
            to_hex(token.key().expose()),
            self.text("/secrets/K_TOKEN_hex").unwrap_or_default()
        );
        let utf8 = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let format = record.otp().and_then(|otp| otp.format.clone());
        // The peer reads the two identifiers crosswise; what it could not read it gives as null.
        let fields = [
            ("K_TOKEN", Value::from(to_hex(token.key().expose()))),
            ("key_id", Value::from(utf8(&record.token_id))),
            ("token_id", Value::from(utf8(&record.key_id))),
            ("key_exp", Value::from(record.key_expiry.clone().unwrap_or_default())),
            ("service_id", Value::from(settings.issuer.clone())),
            ("user", Value::from(settings.user.clone())),
            ("otpformat", Value::from(format.unwrap_or_else(|| "Decimal".into()))),
            ("otplength", Value::from(settings.digits)),
            ("otptime", Value::from(settings.interval)),
            ("pin_type", Value::from(pin.pin_type)),
            ("add_pin", Value::from(u8::from(pin.add_pin))),
        ];
        for (name, ours) in fields {
            if !expected[name].is_null() {
                same!(name, ours, expected[name]);
            }
        }
        Ok(())
    }

    /// Replays the server's side, if it can be brought into the state, and says what departs from
    /// `ours`.
    ///
    /// # Errors
    /// The first departure.
    pub fn check_server(&self, profile: &Profile) -> Result<bool, Mismatch> {
        self.check_server_over(profile, &|service, recorded| {
            let RecordedRequest { method, path, headers, body, .. } = recorded;
            service.handle(
                ServiceRequest { method, path, headers, body, source: None },
                NOW,
                &mut recorded.rng(),
            )
        })
    }

    /// The same over whatever carries a recorded request to the service, with the status the client
    /// sees and what it came of there.
    ///
    /// # Errors
    /// The first departure.
    pub fn check_server_over(
        &self,
        profile: &Profile,
        carry: &dyn Fn(&Arc<RecordedService>, &RecordedRequest<'_>) -> Handled,
    ) -> Result<bool, Mismatch> {
        let verdict = self.text("/ours/server").expect("ours.server is text");
        if verdict == "not-run" {
            return Ok(false);
        }
        let key = self.server_key();
        let r_s = self.text("/inputs/R_S_hex").map_or_else(|| vec![0x11; 16], from_hex);
        let service = Arc::new(self.service(profile, key));
        let pairs = self.0["http"].as_array().expect("http is a list");
        if self.body("request1").is_empty() || !self.holds_hello("request1") {
            self.open_session(&service, profile, &r_s)?;
        }
        let mut last = None;
        for (index, pair) in pairs.iter().enumerate() {
            let body = self.body(&format!("request{}", index + 1)).as_bytes();
            let handled = carry(&service, &RecordedRequest::new(pair, body, &r_s));
            if index + 1 < pairs.len() {
                same!("status of an earlier answer", handled.response.status, 200);
            }
            if handled.response.status == 200 {
                self.check_body(&format!("response{}", index + 1), &handled.response.body)?;
            }
            last = Some(handled);
        }
        let last = last.expect("a recording has a request");
        let statuses: Vec<u64> = self.0["ours"]["server_http"]
            .as_array()
            .expect("server_http is a list")
            .iter()
            .filter_map(Value::as_u64)
            .collect();
        let status = u64::from(last.response.status);
        if !statuses.contains(&status) {
            return Err(format!("status {status} ({:?}) is none of {statuses:?}", last.event));
        }
        let ours = match (&last.event, status) {
            (Event::Opened(_) | Event::Committed(_) | Event::Repeated(_), 200) => "answer",
            (_, 200) => "fault",
            _ => "http-error",
        };
        if status == 200 || !statuses.contains(&200) {
            same!("server's verdict", ours, verdict);
        }
        self.check_commit(&service)?;
        Ok(true)
    }

    /// What the server committed is the recorded key.
    fn check_commit(&self, service: &RecordedService) -> Result<(), Mismatch> {
        let committed = service.issuer().committed.lock().expect("no test panicked");
        if let (Some(ours), Some(recorded)) = (&*committed, self.secret("K_TOKEN_hex")) {
            same!("K_TOKEN at the server", to_hex(&ours.0), to_hex(&recorded));
            if let Some(mac) = self.secret("MAC_hex") {
                same!("MAC at the server", to_hex(&ours.1), to_hex(&mac));
            }
        }
        Ok(())
    }

    fn server_key(&self) -> RsaPrivateKey {
        let key = &self.0["server_key"];
        let part = |name: &str| octets(&key[name]).expect("a part of the key");
        let e = key["e"].as_u64().expect("an exponent").to_be_bytes();
        RsaPrivateKey::from_primes(&part("p_hex"), &part("q_hex"), &e).expect("a usable key")
    }

    fn service(&self, profile: &Profile, key: RsaPrivateKey) -> RecordedService {
        let config = ServerConfig::new(profile.clone(), key.public().clone());
        let code = self.text("/server_required_code").or_else(|| self.text("/activation_code"));
        let issuer = RecordedIssuer {
            code: code.expect("a code").into(),
            issued: self.issued(),
            committed: Mutex::default(),
        };
        let sessions = RecordedSessions {
            id: self.text("/inputs/session_id").map(|id| SessionId::new(id.into())),
            memory: MemorySessions::new(profile.layout, 16, 300),
        };
        Service::new(Server::new(config), ServerBinding::Soap, sessions, key, issuer)
    }

    /// What `inputs` says the server is to tell of the token.
    fn issued(&self) -> Issued {
        let input = |name: &str| self.text(&format!("/inputs/{name}")).map(str::to_owned);
        let number = |name: &str| {
            self.0
                .pointer(&format!("/inputs/{name}"))
                .and_then(Value::as_u64)
                .map(|n| n.to_string())
        };
        let otp = OtpConfiguration {
            format: input("otp_format").or_else(|| Some("Decimal".into())),
            length: number("otp_length").or_else(|| Some("8".into())),
            modes: vec![OtpMode::Time(number("otp_interval").or_else(|| Some("60".into())))],
        };
        let serial = |name: &str| input(name).unwrap_or_else(|| "000000000001".into()).into_bytes();
        let record = TokenRecord {
            token_id: serial("token_id"),
            key_id: serial("key_id"),
            key_expiry: input("expiry").or_else(|| Some("2030-01-01T00:00:00+00:00".into())),
            service_id: input("service_id").or_else(|| Some("service".into())),
            service_logo: None,
            user_id: input("user_id").or_else(|| Some(String::new())),
            extensions: vec![Extension {
                critical: true,
                kind: ExtensionKind::OtpConfiguration(otp),
            }],
        };
        let provisioning = input("provisioning_data").unwrap_or_default();
        let element = |name: &str| {
            let (_, rest) = provisioning.split_once(&format!("<{name}>"))?;
            rest.split_once('<').and_then(|(value, _)| value.parse::<u32>().ok())
        };
        let pin = PinSettings {
            pin_type: element("PinType").unwrap_or(0),
            add_pin: element("AddPIN").unwrap_or(1) != 0,
        };
        Issued { record, pin, repeated: false }
    }

    fn holds_hello(&self, request: &str) -> bool {
        let body = self.body(request);
        let Some((_, rest)) = body.split_once("<Request>") else { return true };
        let pdu: String = rest.split('<').next().unwrap_or_default().split_whitespace().collect();
        let pdu = BASE64_STANDARD.decode(pdu).unwrap_or_default();
        !String::from_utf8_lossy(&pdu).contains("ClientNonce")
    }

    /// Opens the session of `inputs` with a good `ClientHello`, for recordings of a lone
    /// `ClientNonce`.
    fn open_session(
        &self,
        service: &RecordedService,
        profile: &Profile,
        r_s: &[u8],
    ) -> Result<(), Mismatch> {
        let code = service.issuer().code.clone();
        let soap = Soap::new(ActivationCode::new(code.into_bytes())).map_err(|e| e.to_string())?;
        let client = Client::new(ClientConfig::new(profile.clone()));
        let (_, request) = Exchange::begin(client, Binding::Soap(soap), &mut Scripted::default())
            .map_err(|error| error.to_string())?;
        let request = ServiceRequest {
            method: "POST",
            path: "/",
            headers: &request.headers,
            body: &request.body,
            source: None,
        };
        let handled = service.handle(request, NOW, &mut Scripted::new(&[r_s]).then_anything());
        match handled.event {
            Event::Opened(_) => Ok(()),
            other => Err(format!("no session could be opened: {other:?}")),
        }
    }

    /// Derives K_TOKEN and the MAC from the recorded secrets alone.
    ///
    /// # Errors
    /// The first departure.
    pub fn check_derivation(&self, profile: &Profile) -> Result<bool, Mismatch> {
        let (Some(r_c), Some(r_s), Some(k)) =
            (self.secret("R_C_hex"), self.secret("R_S_hex"), self.secret("prf_k_hex"))
        else {
            return Ok(false);
        };
        let r_c = ctkip_core::SecretNonce::new(r_c);
        let prf = ctkip_core::Prf::Aes;
        let key = derive::token_key(profile, prf, &r_c, &k, &r_s, 16).map_err(|e| e.to_string())?;
        let mac = derive::mac2(profile, prf, key.expose(), &r_c).map_err(|e| e.to_string())?;
        same!(
            "K_TOKEN",
            to_hex(key.expose()),
            self.text("/secrets/K_TOKEN_hex").unwrap_or_default()
        );
        same!("MAC", to_hex(&mac), self.text("/secrets/MAC_hex").unwrap_or_default());
        Ok(true)
    }
}

/// When the recordings are replayed; no answer depends on it.
pub const NOW: Timestamp = Timestamp(1_773_500_966);

/// A server that gives out what was recorded.
pub type RecordedService = Service<RecordedSessions, RsaPrivateKey, RecordedIssuer>;

/// A request as it was recorded.
pub struct RecordedRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// The path.
    pub path: &'a str,
    /// All headers, in order.
    pub headers: Headers,
    /// The body.
    pub body: &'a [u8],
    r_s: Vec<u8>,
}

impl<'a> RecordedRequest<'a> {
    fn new(pair: &'a Value, body: &'a [u8], r_s: &[u8]) -> Self {
        let start = pair["request"]["start_line"].as_str().expect("a start line");
        let mut words = start.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        Self { method, path, headers: headers(&pair["request"]), body, r_s: r_s.to_vec() }
    }

    /// What the server draws: R_S as it was recorded, then anything.
    #[must_use]
    pub fn rng(&self) -> Scripted {
        Scripted::new(&[&self.r_s]).then_anything()
    }
}

fn headers(message: &Value) -> Headers {
    let list = message["headers"].as_array().expect("headers are a list");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let latin1 = |value: &Value| text(value).chars().map(|c| c as u8).collect();
    list.iter().map(|header| (text(&header[0]).into(), latin1(&header[1]))).collect()
}

fn recorded_response(pair: &Value, body: &str) -> WireResponse {
    let start = pair["response"]["start_line"].as_str().expect("a start line");
    let status = start.split(' ').nth(1).and_then(|status| status.parse().ok());
    WireResponse {
        status: status.expect("a status"),
        headers: headers(&pair["response"]),
        body: body.as_bytes().to_vec(),
    }
}

/// Gives out the recorded SessionID.
pub struct RecordedSessions {
    id: Option<SessionId>,
    memory: MemorySessions,
}

impl Sessions for RecordedSessions {
    fn open<R: TryCryptoRng + ?Sized>(
        &self,
        pending: Pending,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<SessionId, Full> {
        match &self.id {
            Some(id) => self.memory.insert(id.clone(), pending, now).map(|()| id.clone()),
            None => self.memory.open(pending, now, rng),
        }
    }

    fn enter(&self, id: &SessionId, digest: &NonceDigest, now: Timestamp) -> Entry {
        self.memory.enter(id, digest, now)
    }

    fn leave(&self, id: &SessionId, end: End) {
        self.memory.leave(id, end);
    }
}

/// Knows one code, and issues the recorded token.
pub struct RecordedIssuer {
    code: String,
    issued: Issued,
    committed: Mutex<Option<(Vec<u8>, Vec<u8>)>>,
}

impl Issuer for RecordedIssuer {
    fn authorize(
        &self,
        bearer: Bearer<'_>,
        _hello: &ClientHello,
        now: Timestamp,
    ) -> Result<Granted, Denied> {
        self.recognise(bearer, &Grant::default(), now).map(|()| Granted::default())
    }

    fn recognise(&self, bearer: Bearer<'_>, _grant: &Grant, _now: Timestamp) -> Result<(), Denied> {
        bearer
            .code
            .filter(|code| code.matches(self.code.as_bytes()))
            .map(drop)
            .ok_or(Denied::Refused)
    }

    fn commit(&self, commit: &Commit<'_>, _now: Timestamp) -> Result<Issued, Denied> {
        let kept = (commit.key.expose().to_vec(), commit.mac.to_vec());
        *self.committed.lock().expect("no test panicked") = Some(kept);
        Ok(self.issued.clone())
    }
}
