//! The server's certificate.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::MAX_PEM;
use crate::error::Failure;
use crate::input;

/// What a server speaks TLS with.
pub(super) fn config(certificates: &Path, key: &Path) -> Result<Arc<ServerConfig>, Failure> {
    let unusable = |path: &Path, what: String| {
        Failure::usage(
            format!("{}: {what}", path.display()),
            "Give the server's certificate, those below it, and its private key without a password, \
             as PEM.",
        )
    };
    let pem = input::read(certificates, MAX_PEM)?;
    let chain = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| unusable(certificates, "no certificate in it".into()))?;
    let pem = input::read(key, MAX_PEM)?;
    let private = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| unusable(key, format!("no private key in it ({error})")))?;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|error| unusable(certificates, format!("it cannot be used: {error}")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
