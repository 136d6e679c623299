//! A node of a server, to be killed.
//!
//! ```text
//! node STORE MASTER-KEY-FILE [--listen ADDRESS] [--die-at POINT:N] [--late MILLISECONDS]
//! ```
//!
//! Prints `listening HOST:PORT`, and ends with its standard input. `--die-at` ends it, as suddenly as
//! SIGKILL, when a point ([`ctkip_tests::hooked::Point`]) is reached the N-th time. `--late` makes it
//! say that tokens are durable before they are: tests have to notice.

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use ctkip_core::crypto::RsaPrivateKey;
use ctkip_core::service::Event;
use ctkip_server::{MasterKey, Registry, Site, SiteOptions};
use ctkip_tests::databases::{now, store};
use ctkip_tests::hooked::{Death, Defect, Fuse, Hooked, Point};
use ctkip_transport_axum::{Limits, Server};
use getrandom::SysRng;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Requests answered at a time: enough for commits to be made together.
const WORKERS: usize = 8;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, master_key, options @ ..] = args.as_slice() else {
        return Err("STORE and MASTER-KEY-FILE are wanted".into());
    };
    let (mut listen, mut death, mut defect) = ("127.0.0.1:0", None, None);
    for option in options.chunks(2) {
        match option {
            [name, value] if name == "--listen" => listen = value,
            [name, value] if name == "--die-at" => death = Some(value.parse::<Death>()?),
            [name, value] if name == "--late" => {
                defect = Some(Defect::Late(Duration::from_millis(value.parse()?)));
            }
            _ => return Err(format!("unknown: {option:?}").into()),
        }
    }

    let fuse = Fuse::new(death);
    let mut store = store(url)?;
    if let Some(defect) = defect {
        store = Arc::new(Hooked::new(store, defect));
    }
    let store = Arc::new(Hooked::new(store, fuse.clone()));
    let master = MasterKey::read_or_make(Path::new(master_key), &mut SysRng)?;
    let registry = Arc::new(Registry::open(store, &master, &mut SysRng)?);
    registry.first_key(1024, now(), &mut SysRng)?;
    let site = Site::new(registry, RsaPrivateKey::from_primes, SiteOptions::default())?;

    let mut limits = Limits::default();
    limits.workers = WORKERS;
    limits.queue = 1024;
    let answering = fuse.clone();
    let router = site.router(&limits, move |_, handled| {
        if matches!(handled.event, Event::Committed(_) | Event::Repeated(_)) {
            answering.reach(Point::BeforeAnswer);
        }
    });
    let router = router.layer(from_fn(move |request: Request, next: Next| {
        let fuse = fuse.clone();
        let last = request.headers().get("soapaction").is_some_and(|it| it == "ServerFinished");
        async move {
            let response = next.run(request).await;
            if last && response.status() == 200 {
                fuse.passed(Point::AfterAnswer);
            }
            response
        }
    }));

    thread::spawn(|| {
        // Whoever started us is gone, or wants us to go.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let listener = std::net::TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    println!("listening {}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        Server::new(listener).limits(limits).serve(router, std::future::pending()).await;
        Ok(())
    })
}
