//! Where a server listens.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use super::failed;
use crate::error::{Failure, Status};

/// The address that was named.
pub(super) fn address(named: &str) -> Result<SocketAddr, Failure> {
    let unknown = |error: String| {
        let what = format!("cannot listen on {named}: {error}");
        Failure::usage(what, "Give address and port, as in 127.0.0.1:8080 or [::1]:8080.")
    };
    let mut found = named.to_socket_addrs().map_err(|error| unknown(error.to_string()))?;
    found.next().ok_or_else(|| unknown("no address".into()))
}

pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address);
    let listener = bound.map_err(|error| {
        let next = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "Another program listens there: choose another port, or 0 for a free one."
            }
            io::ErrorKind::PermissionDenied => "Choose a port from 1024 on.",
            _ => "Choose an address of this machine.",
        };
        Failure::new(Status::Usage, "listen", format!("cannot listen on {address}: {error}"), next)
    })?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}
