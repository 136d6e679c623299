//! A server in this process over the same store.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use ctkip_core::Timestamp;
use ctkip_core::crypto::RsaPrivateKey;
use ctkip_core::service::ServiceRequest;
use ctkip_server::store::SqlStore;
use ctkip_server::{Dialect, MasterKey, Registry, Site, SiteOptions};
use getrandom::SysRng;

use crate::program::Place;
use crate::server::{Answer, Listening};

/// Serves `a.db` in one dialect until the test ends.
pub(super) fn serve(place: &Place, dialect: Dialect) -> Listening {
    let url = format!("sqlite:{}", place.path("a.db").display());
    let store = SqlStore::open(&url.parse().unwrap()).unwrap().unwrap();
    let master = MasterKey::read(&place.path("a.db.key")).unwrap();
    let registry = Registry::open(Arc::new(store), &master, &mut SysRng).unwrap();
    let make = RsaPrivateKey::from_primes;
    let site = Site::new(Arc::new(registry), make, SiteOptions::default()).unwrap();
    Listening::new(move |_, request| {
        let request = ServiceRequest {
            method: "POST",
            path: &request.path,
            headers: &request.headers,
            body: &request.body,
            source: None,
        };
        let now = Timestamp(UNIX_EPOCH.elapsed().unwrap().as_secs());
        Answer::Response(site.handle(dialect, request, now).response)
    })
}
