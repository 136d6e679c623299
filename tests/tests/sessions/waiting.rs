//! The same request while it is processed: it is told to wait, and can.

use super::{second, site, stores};
use ctkip_core::message::{ClientHello, ClientNonce, Message, Status};
use ctkip_core::service::{Bearer, Commit, Denied, Event, Granted, Issued, Issuer, ServiceRequest};
use ctkip_core::wire::plain;
use ctkip_core::{Grant, Profile, Timestamp, xml};
use ctkip_tests::pair::{NOW, Office, client_config, octets, status};
use getrandom::SysRng;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// An office that takes its time over a commit: it says when it begins, and waits to be told to end.
struct Slow {
    office: Office,
    begun: Mutex<Sender<()>>,
    end: Mutex<Receiver<()>>,
}

impl Issuer for Slow {
    fn authorize(
        &self,
        bearer: Bearer<'_>,
        hello: &ClientHello,
        now: Timestamp,
    ) -> Result<Granted, Denied> {
        self.office.authorize(bearer, hello, now)
    }

    fn recognise(&self, bearer: Bearer<'_>, grant: &Grant, now: Timestamp) -> Result<(), Denied> {
        self.office.recognise(bearer, grant, now)
    }

    fn commit(&self, commit: &Commit<'_>, now: Timestamp) -> Result<Issued, Denied> {
        self.begun.lock().expect("no panic").send(()).expect("somebody listens");
        self.end.lock().expect("no panic").recv().expect("somebody ends it");
        self.office.commit(commit, now)
    }
}

/// While a request is processed, the same request is told to wait, and whoever waits gets its answer.
#[test]
fn a_server_can_wait_for_the_result_of_the_same_request() {
    for store in stores(&Profile::RFC4758) {
        let ((begun, has_begun), (let_end, end)) = (channel(), channel());
        let slow = Slow { office: Office::default(), begun: begun.into(), end: end.into() };
        let site = site(store, slow);
        let (body, _) = second(&site, client_config());
        let headers = vec![("Content-Type".into(), plain::MEDIA_TYPE.into())];
        let handle = |body: &[u8]| {
            let request =
                ServiceRequest { method: "POST", path: "/", headers: &headers, body, source: None };
            site.handle(request, NOW, &mut SysRng)
        };
        let Message::ClientNonce(nonce) =
            xml::read(&body, &Profile::RFC4758).expect("our own").message
        else {
            panic!("it is the second request")
        };
        thread::scope(|scope| {
            // Dropped with this closure if it panics, so that nobody waits for ever.
            let let_end = let_end;
            let first = scope.spawn(|| handle(&body));
            has_begun.recv().expect("it begins");
            let busy = handle(&body);
            assert!(matches!(busy.event, Event::Busy), "{:?}", busy.event);
            assert_eq!(busy.response.status, 503);
            assert!(busy.response.headers.iter().any(|(name, _)| name == "Retry-After"));
            // Another request for the same session is refused meanwhile.
            let other = ClientNonce { encrypted_nonce: vec![9; 256], ..nonce.clone() };
            let other = handle(&octets(&Message::ClientNonce(other)));
            assert_eq!(status(&other.response), Status::Abort);

            let waiting = scope.spawn(|| {
                (0..1_000)
                    .map(|_| handle(&body))
                    .find(|handled| {
                        thread::sleep(Duration::from_millis(5));
                        !matches!(handled.event, Event::Busy)
                    })
                    .expect("it ends")
            });
            let_end.send(()).expect("it waits");
            let first = first.join().expect("no panic");
            let second = waiting.join().expect("no panic");
            assert!(matches!(first.event, Event::Committed(_)), "{:?}", first.event);
            assert!(matches!(second.event, Event::Repeated(_)), "{:?}", second.event);
            assert_eq!(first.response.body, second.response.body);
        });
        assert_eq!(site.issuer().office.committed().len(), 1);
    }
}
