//! The register that a server and its operator work on: which store, and which master key.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use clap::Args;
use ctkip_core::Timestamp;
use ctkip_server::store::{MemoryStore, SqlStore, Store, StoreError, StoreUrl};
use ctkip_server::{MasterKey, MasterKeyError, Registry, RegistryError};
use getrandom::SysRng;

use crate::error::{Failure, Status};

/// The variable that may name a store.
const VARIABLE: &str = "CTKIP_STORE";

// Where enrolments and tokens are kept, and the key to them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Store")]
pub(crate) struct StoreArgs {
    /// Where enrolments and tokens are kept: sqlite:FILE, or postgres://USER@HOST/DATABASE (with the
    /// password in PGPASSWORD or ~/.pgpass) [default: as CTKIP_STORE says]
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// The file with the master key: 32 octets, for its owner only. Whoever has it and the store has
    /// every token [default: for sqlite:FILE, FILE.key, made with the store]
    #[arg(long, value_name = "FILE")]
    pub(crate) master_key_file: Option<PathBuf>,
}

impl StoreArgs {
    /// The store that was named, here or in the environment.
    pub(crate) fn url(&self) -> Result<Option<StoreUrl>, Failure> {
        let text =
            self.store.clone().or_else(|| env::var(VARIABLE).ok().filter(|text| !text.is_empty()));
        text.map(|text| {
            // The text may hold a password.
            text.parse().map_err(|forms| {
                Failure::usage("this is no store that there is", format!("Give {forms}."))
            })
        })
        .transpose()
    }

    /// Opens the register that was named.
    pub(crate) fn open(&self) -> Result<Registry, Failure> {
        let url = self.url()?.ok_or_else(|| {
            Failure::usage(
                "no store was named",
                "Add --store sqlite:FILE, as for `ctkip serve`, or set CTKIP_STORE.",
            )
        })?;
        if url == StoreUrl::Memory {
            return Err(Failure::usage(
                "a store in memory is gone when this program ends",
                "Name one that stays, as in --store sqlite:FILE; `ctkip serve --store memory` has enrolments of its own.",
            ));
        }
        self.open_at(&url)
    }

    /// Opens the register in this store.
    pub(crate) fn open_at(&self, url: &StoreUrl) -> Result<Registry, Failure> {
        // Before the store is made: so there is no store without a key.
        let master = self.master_key(url)?;
        let unusable = |error: StoreError| failure(url, error.into());
        let store: Arc<dyn Store> = match SqlStore::open(url).map_err(unusable)? {
            Some(store) => Arc::new(store),
            None => Arc::new(MemoryStore::new()),
        };
        Registry::open(store, &master, &mut SysRng).map_err(|error| failure(url, error))
    }

    fn master_key(&self, url: &StoreUrl) -> Result<MasterKey, Failure> {
        let own = self.master_key_file.as_deref();
        let key = match (url, own) {
            (StoreUrl::Memory, None) => {
                MasterKey::generate(&mut SysRng).map_err(MasterKeyError::from)
            }
            (StoreUrl::Sqlite(store), own) => {
                let beside = || {
                    let mut name = store.clone().into_os_string();
                    name.push(".key");
                    PathBuf::from(name)
                };
                let path = own.map_or_else(beside, Path::to_owned);
                // A store that is there has a key: a new one would not fit.
                if store.metadata().is_ok_and(|there| there.len() > 0) {
                    MasterKey::read(&path)
                } else {
                    MasterKey::read_or_make(&path, &mut SysRng)
                }
            }
            (_, Some(path)) => MasterKey::read(path),
            (_, None) => {
                return Err(Failure::usage(
                    format!("{url} needs a master key, which is the same for all of its servers"),
                    "Add --master-key-file FILE. `ctkip keys make-master FILE` makes one; keep a copy.",
                ));
            }
        };
        key.map_err(|error| {
            let next = match &error {
                MasterKeyError::Read { .. } => {
                    "Name the file with --master-key-file, or bring it back from where its copy is: without it the store cannot be used."
                }
                MasterKeyError::Exposed(_) => "Make it private: chmod 600.",
                MasterKeyError::Length(_) => "Name the file that this store was made with.",
                _ => "Choose another place with --master-key-file.",
            };
            Failure::new(Status::Usage, "master-key", error.to_string(), next)
        })
    }
}

/// Whether the environment names a store.
pub(crate) fn is_in_environment() -> bool {
    env::var_os(VARIABLE).is_some_and(|store| !store.is_empty())
}

/// What a failed register tells its operator.
pub(crate) fn failure(url: &StoreUrl, error: RegistryError) -> Failure {
    let (kind, next) = match &error {
        RegistryError::WrongMasterKey => {
            ("master-key", "Name the file that this store was made with: --master-key-file FILE.")
        }
        RegistryError::Store(StoreError::SerialTaken(_)) => {
            ("serial-taken", "Choose another, or leave it out: then a free one is taken.")
        }
        RegistryError::Store(_) => ("store", "See that the store can be reached, and try again."),
        RegistryError::Randomness(_) => ("randomness", "Try again."),
        RegistryError::Enrolment { .. } => ("enrolment", "Change it, and try again."),
        RegistryError::Unknown(_) => ("unknown", "`ctkip enrolments` lists those there are."),
        RegistryError::Confirmed(_) => ("confirmed", "Use `ctkip revoke`, then `ctkip enrol`."),
        RegistryError::Revoked(_) => ("revoked", "Enrol anew with `ctkip enrol`."),
        RegistryError::NoToken(_) => ("no-token", "The code has to be used first."),
        RegistryError::WrongTokencode(_) => {
            ("tokencode", "Check the serial number, and the clock of the device.")
        }
        RegistryError::RepeatedTokencode(_) => ("tokencode", "Wait for the next tokencode."),
        RegistryError::Tampered(_) => {
            ("tampered", "Give a new token with `ctkip reissue`, and find out who changed it.")
        }
        RegistryError::UnknownKey(_) => ("unknown-key", "`ctkip keys` lists those there are."),
        RegistryError::KeyInUse { .. } => {
            ("key-in-use", "Wait until it is needed no more, or add --force.")
        }
        _ => ("registry", "Try again."),
    };
    let what = match &error {
        RegistryError::Store(_) | RegistryError::WrongMasterKey => format!("{url}: {error}"),
        _ => error.to_string(),
    };
    Failure::new(Status::Usage, kind, what, next)
}

/// The time now.
pub(crate) fn now() -> Timestamp {
    Timestamp(UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs()))
}
