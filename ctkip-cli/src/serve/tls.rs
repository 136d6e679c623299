//! The server's certificate, which may change while it runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::MAX_PEM;
use crate::error::Failure;
use crate::input;

/// How often the files are looked at.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// The certificate in use.
#[derive(Debug)]
struct InUse(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for InUse {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Where certificate and key are.
struct Files {
    certificates: PathBuf,
    key: PathBuf,
}

/// What is in them.
#[derive(PartialEq, Eq)]
struct Content {
    certificates: Zeroizing<Vec<u8>>,
    key: Zeroizing<Vec<u8>>,
}

/// What a server speaks TLS with. The files are looked at as long as the program runs; connections
/// that are made after a change see the new certificate.
pub(super) fn config(certificates: &Path, key: &Path) -> Result<Arc<ServerConfig>, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let files = Files { certificates: certificates.to_owned(), key: key.to_owned() };
    let content = files.read()?;
    let first = files.certified(&content, &provider)?;
    let in_use = Arc::new(InUse(RwLock::new(Arc::new(first))));
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(certificates, format!("it cannot be used: {error}")))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&in_use) as Arc<dyn ResolvesServerCert>);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    thread::spawn(move || files.watch(content, &provider, &in_use));
    Ok(Arc::new(config))
}

fn unusable(path: &Path, what: String) -> Failure {
    Failure::usage(
        format!("{}: {what}", path.display()),
        "Give the server's certificate, those below it, and its private key without a password, \
         as PEM.",
    )
}

impl Files {
    fn read(&self) -> Result<Content, Failure> {
        let certificates = input::read(&self.certificates, MAX_PEM)?;
        Ok(Content { certificates, key: input::read(&self.key, MAX_PEM)? })
    }

    fn certified(
        &self,
        content: &Content,
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, Failure> {
        let chain = CertificateDer::pem_slice_iter(&content.certificates)
            .collect::<Result<Vec<_>, _>>()
            .ok()
            .filter(|chain| !chain.is_empty())
            .ok_or_else(|| unusable(&self.certificates, "no certificate in it".into()))?;
        let key = PrivateKeyDer::from_pem_slice(&content.key)
            .map_err(|error| unusable(&self.key, format!("no private key in it ({error})")))?;
        CertifiedKey::from_der(chain, key, provider)
            .map_err(|error| unusable(&self.certificates, format!("it cannot be used: {error}")))
    }

    /// Takes what is new, if it is whole: of two files one is written first, so that they may not fit
    /// for a moment.
    fn watch(&self, mut seen: Content, provider: &CryptoProvider, in_use: &InUse) {
        let mut unreadable = false;
        loop {
            thread::sleep(BETWEEN_LOOKS);
            let found = self.read();
            let taken = match found {
                Ok(content) if content == seen => {
                    unreadable = false;
                    continue;
                }
                Ok(content) => {
                    let taken = self.certified(&content, provider);
                    seen = content;
                    unreadable = false;
                    taken
                }
                // Told once, not at each look.
                Err(_) if unreadable => continue,
                Err(failure) => {
                    unreadable = true;
                    Err(failure)
                }
            };
            match taken {
                Ok(certified) => {
                    *in_use.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
                    tracing::info!("the new certificate is in use");
                }
                Err(failure) => tracing::error!(
                    reason = ?failure.what,
                    "the new certificate is not used; the one before stays in use"
                ),
            }
        }
    }
}
