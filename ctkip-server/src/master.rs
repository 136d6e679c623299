//! The one key that everything secret in a store hangs on, and that is never in it.

use hkdf::Hkdf;
use rand_core::TryCryptoRng;
use sha2::Sha256;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

use ctkip_core::RandomnessFailed;

/// The master key: 32 random octets, kept in a file that only the server's user can read. From it
/// come, by HKDF-SHA-256, the keys that seal rows and sessions and that codes are looked up by.
/// Wiped on drop.
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterKeyError {
    /// The file cannot be read.
    #[error("the master key file {} cannot be read: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file cannot be made.
    #[error("the master key file {} cannot be made: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// There is a file already where a new one is to be made.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The file has another length than 32 octets.
    #[error("the master key file {} does not hold 32 octets", .0.display())]
    Length(PathBuf),
    /// Others than its owner may read or write the file.
    #[error("the master key file {} can be read by others: its mode has to be 0600", .0.display())]
    Exposed(PathBuf),
    /// There is no randomness to make a key of.
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
}

impl MasterKey {
    /// How many octets a master key has.
    pub const LENGTH: usize = 32;

    /// A key from its octets, which have to be random.
    #[must_use]
    pub fn new(octets: [u8; Self::LENGTH]) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// A new key.
    ///
    /// # Errors
    /// [`RandomnessFailed`] when `rng` does.
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomnessFailed> {
        let mut key = Self::new([0; Self::LENGTH]);
        rng.try_fill_bytes(&mut *key.0).map_err(|_| RandomnessFailed)?;
        Ok(key)
    }

    /// The key in a file: 32 octets, and nobody but the owner may read or write it.
    ///
    /// # Errors
    /// [`MasterKeyError::Read`], [`MasterKeyError::Length`] and [`MasterKeyError::Exposed`].
    pub fn read(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |cause| MasterKeyError::Read { path: path.to_owned(), cause };
        let mut file = File::open(path).map_err(failed)?;
        if is_exposed(&file).map_err(failed)? {
            return Err(MasterKeyError::Exposed(path.to_owned()));
        }
        // One more than there may be.
        let mut octets = Zeroizing::new(Vec::with_capacity(Self::LENGTH + 1));
        Read::by_ref(&mut file)
            .take((Self::LENGTH as u64).saturating_add(1))
            .read_to_end(&mut octets)
            .map_err(failed)?;
        let octets = octets.as_slice().try_into();
        octets.map(Self::new).map_err(|_| MasterKeyError::Length(path.to_owned()))
    }

    /// The key in a file, which is made with a new one, mode 0600, if it is not there.
    ///
    /// # Errors
    /// Those of [`Self::read`]; [`MasterKeyError::Write`] and [`MasterKeyError::Randomness`].
    pub fn read_or_make<R: TryCryptoRng + ?Sized>(
        path: &Path,
        rng: &mut R,
    ) -> Result<Self, MasterKeyError> {
        match fs::metadata(path) {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
                match Self::make(path, rng) {
                    // Another process may have been faster: what is there counts.
                    Ok(()) | Err(MasterKeyError::Exists(_)) => Self::read(path),
                    Err(failed) => Err(failed),
                }
            }
            _ => Self::read(path),
        }
    }

    /// Makes a file with a new key, mode 0600, which appears whole or not at all, and stays.
    ///
    /// # Errors
    /// [`MasterKeyError::Exists`], [`MasterKeyError::Write`] and [`MasterKeyError::Randomness`].
    pub fn make<R: TryCryptoRng + ?Sized>(path: &Path, rng: &mut R) -> Result<(), MasterKeyError> {
        let key = Self::generate(rng)?;
        key.write(path).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => MasterKeyError::Exists(path.to_owned()),
            _ => MasterKeyError::Write { path: path.to_owned(), cause },
        })
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&*self.0)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Err(failed) if failed.error.kind() != io::ErrorKind::AlreadyExists => Err(failed.error),
            // Another's, too, has to stay before anything is sealed under it.
            made => File::open(folder)?
                .sync_all()
                .and_then(|()| made.map(drop).map_err(|there| there.error)),
        }
    }

    /// The subkey for one purpose.
    pub(crate) fn subkey<const N: usize>(&self, purpose: &str) -> Zeroizing<[u8; N]> {
        let mut key = Zeroizing::new([0; N]);
        // Fails only for more than 8,160 octets.
        let _ = Hkdf::<Sha256>::new(None, &*self.0)
            .expand_multi_info(&[b"ctkip-server 1 ", purpose.as_bytes()], &mut *key);
        key
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(hidden)")
    }
}

/// A file of root's that root's group may read counts as private: so looks one that systemd hands to
/// a service (`LoadCredential=`), whose access list names the service's user.
#[cfg(unix)]
fn is_exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let data = file.metadata()?;
    let others = data.mode() & 0o077;
    let is_handed_over = (data.uid(), data.gid(), others) == (0, 0, 0o040);
    Ok(others != 0 && !is_handed_over)
}

#[cfg(not(unix))]
fn is_exposed(_: &File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
impl MasterKey {
    pub(crate) fn octets(&self) -> &[u8] {
        &*self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at_once;
    use getrandom::SysRng;

    fn mode(path: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn subkeys_differ_by_purpose_and_key() {
        let (one, other) = (MasterKey::new([1; 32]), MasterKey::new([2; 32]));
        let keys = [
            one.subkey::<32>("seal"),
            one.subkey("code"),
            one.subkey("session"),
            other.subkey("seal"),
        ];
        for (number, key) in keys.iter().enumerate() {
            assert!(keys[..number].iter().all(|before| before != key));
        }
        assert_eq!(one.subkey::<32>("seal"), MasterKey::new([1; 32]).subkey("seal"));
        assert!(keys.iter().all(|key| **key != [0; 32]));
        assert_eq!(format!("{one:?}"), "MasterKey(hidden)");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_read_if_nobody_else_can() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        assert!(matches!(MasterKey::read(&path), Err(MasterKeyError::Read { .. })));
        for length in [0, 31, 33, 64] {
            fs::write(&path, vec![7; length]).unwrap();
            mode(&path, 0o600);
            assert!(matches!(MasterKey::read(&path), Err(MasterKeyError::Length(_))), "{length}");
            let there = MasterKey::read_or_make(&path, &mut SysRng);
            assert!(matches!(there, Err(MasterKeyError::Length(_))), "it is not replaced");
            assert_eq!(fs::read(&path).unwrap().len(), length);
        }
        fs::write(&path, [7; 32]).unwrap();
        for open in [0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o777] {
            mode(&path, open);
            assert!(matches!(MasterKey::read(&path), Err(MasterKeyError::Exposed(_))), "{open:o}");
        }
        for closed in [0o600, 0o400] {
            mode(&path, closed);
            assert_eq!(MasterKey::read(&path).unwrap().octets(), [7; 32]);
        }
        assert!(matches!(
            MasterKey::read(folder.path()),
            Err(MasterKeyError::Exposed(_) | MasterKeyError::Read { .. })
        ));
    }

    #[cfg(unix)]
    #[test]
    fn of_many_who_make_it_one_does() {
        use std::os::unix::fs::PermissionsExt;
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("master.key");
            let keys = at_once(8, |_| MasterKey::read_or_make(&path, &mut SysRng).unwrap());
            assert!(keys.iter().all(|key| key.octets() == keys[0].octets()));
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(
                fs::read_dir(folder.path()).unwrap().count(),
                1,
                "nothing is left beside it"
            );
        }
        let nowhere = Path::new("/nonexistent/folder/master.key");
        let made = MasterKey::read_or_make(nowhere, &mut SysRng);
        assert!(matches!(made, Err(MasterKeyError::Write { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_use_is_refused() {
        use std::fs::Permissions;
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        MasterKey::read_or_make(&path, &mut SysRng).expect("a key");
        let data = fs::metadata(&path).expect("its mode");
        let is_roots = (data.uid(), data.gid()) == (0, 0);
        for (mode, is_private) in [
            (0o600, true),
            (0o400, true),
            (0o440, is_roots),
            (0o444, false),
            (0o660, false),
            (0o604, false),
        ] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
            assert_eq!(MasterKey::read(&path).is_ok(), is_private, "{mode:o}");
        }
    }
}
