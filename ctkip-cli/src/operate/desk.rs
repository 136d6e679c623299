//! An opened register, and what its failures mean to the operator.

use std::path::Path;

use ctkip_server::store::StoreUrl;
use ctkip_server::{Registry, RegistryError};

use crate::error::{Failure, Status};
use crate::register::{self, StoreArgs};

/// The register that an operator works on.
pub(super) struct Desk {
    pub(super) registry: Registry,
    url: StoreUrl,
}

impl Desk {
    /// Opens the register, which is made if it is not there.
    pub(super) fn open_or_make(store: &StoreArgs) -> Result<Self, Failure> {
        let registry = store.open()?;
        // It was there to be opened.
        let url = store.url()?.unwrap_or(StoreUrl::Memory);
        Ok(Self { registry, url })
    }

    /// Opens a register that is there: a slip in its name makes no other.
    pub(super) fn open(store: &StoreArgs) -> Result<Self, Failure> {
        if let Some(url @ StoreUrl::Sqlite(path)) = &store.url()?
            && !Path::new(path).exists()
        {
            return Err(Failure::new(
                Status::Usage,
                "store",
                format!("there is no store {url}"),
                "Check its name; `ctkip enrol` makes a new one.",
            ));
        }
        Self::open_or_make(store)
    }

    /// What a failure tells.
    pub(super) fn failure(&self, error: impl Into<RegistryError>) -> Failure {
        let error = error.into();
        let tampered = matches!(error, RegistryError::Tampered(_));
        let failure = register::failure(&self.url, error);
        if tampered { Failure { status: Status::Protocol, ..failure } } else { failure }
    }
}
