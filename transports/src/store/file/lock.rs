//! Opens the files of a store, and refuses those that others could have put there.
//!
//! Owns the checks of links, owners, modes, folders and file systems, and the two locks. Does not
//! know what the files hold.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::error::FileStoreError;
use crate::disk::{self, Attempt, Locked};
use crate::store::StoreError;

/// The files of one store, which stand beside each other and are never removed.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The register.
    pub(crate) path: PathBuf,
    /// Locked while a swap reads and writes the register.
    lock: PathBuf,
    /// Locked by the holder of a lease as long as it lives.
    alive: PathBuf,
    on_network: OnNetwork,
    /// Returns the kind of file system of a file, by its number.
    kind: fn(&File) -> io::Result<u32>,
}

/// What is done about a file on a network file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnNetwork {
    Refused,
    Accepted,
}

impl Files {
    pub(crate) fn new(path: PathBuf, on_network: OnNetwork) -> Self {
        let (lock, alive) = (with(&path, ".lock"), with(&path, ".alive"));
        Self { path, lock, alive, on_network, kind: file_system }
    }

    /// Locks the register for this long at most.
    pub(crate) fn lock(&self, within: Duration) -> Result<Locked, StoreError> {
        let locked = disk::patiently(within, || {
            let file = match open(&self.lock, Create::IfMissing) {
                Ok(Some(file)) => file,
                Ok(None) => return Ok(Attempt::Again),
                Err(error) if disk::is_sharing_violation(&error) => return Ok(Attempt::Busy),
                Err(error) => return Err(cannot("lock", &self.lock, &error)),
            };
            self.check(&self.lock, &file)?;
            let failed = |error| cannot("lock", &self.lock, &error);
            match disk::lock(file).map_err(failed)? {
                // Another process may have removed the file and made another one.
                Some(file) if disk::is_at(&file, &self.lock).map_err(failed)? => {
                    Ok(Attempt::Got(file))
                }
                Some(_) => Ok(Attempt::Again),
                None => Ok(Attempt::Busy),
            }
        })?;
        locked.ok_or(StoreError::TimedOut)
    }

    /// Locks the file that shows that a holder lives; `None` if another has locked it.
    pub(super) fn alive(&self) -> Result<Option<Locked>, StoreError> {
        let failed = |error: io::Error| cannot("lock", &self.alive, &error);
        let file = match open(&self.alive, Create::IfMissing) {
            Ok(Some(file)) => file,
            Err(error) if !disk::is_sharing_violation(&error) => return Err(failed(error)),
            _ => return Ok(None),
        };
        self.check(&self.alive, &file)?;
        disk::lock(file).map_err(failed)
    }

    /// Opens the register, if it is there.
    pub(crate) fn register(&self) -> Result<Option<File>, StoreError> {
        let file = open(&self.path, Create::Never);
        let Some(file) = file.map_err(|error| cannot("open", &self.path, &error))? else {
            return Ok(None);
        };
        self.check(&self.path, &file)?;
        Ok(Some(file))
    }

    /// Makes a file that is to take the register's place. What a killed process has left there is
    /// removed.
    pub(crate) fn beside(&self, holder: u64) -> Result<(File, PathBuf), StoreError> {
        let path = with(&self.path, &format!(".{holder:016x}.tmp"));
        let failed = |error: io::Error| cannot("write", &path, &error);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let file = options().create_new(true).open(&path).map_err(failed)?;
        Ok((file, path))
    }

    /// Returns where a damaged register is kept.
    pub(super) fn damaged(&self) -> PathBuf {
        with(&self.path, ".damaged")
    }

    /// Refuses a file that others could have put there, or could read or change.
    fn check(&self, path: &Path, file: &File) -> Result<(), StoreError> {
        let failed = |error| cannot("look at", path, &error);
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(StoreError::unreachable(FileStoreError::NotAFile { path: path.into() }));
        }
        if self.on_network == OnNetwork::Refused && is_network((self.kind)(file).map_err(failed)?) {
            return Err(StoreError::NetworkFileSystem);
        }
        guarded(path, file, user()).map_err(|refused| match refused {
            Guard::Io(error) => failed(error),
            Guard::Refused(why) => StoreError::Permissions(Arc::new(why)),
        })
    }
}

pub(crate) fn cannot(action: &'static str, path: &Path, error: &io::Error) -> StoreError {
    if is_link(error) {
        let link = FileStoreError::Link { path: path.into() };
        return StoreError::Permissions(Arc::new(link));
    }
    let reason = error.to_string();
    StoreError::unreachable(FileStoreError::Io { action, path: path.into(), reason })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Create {
    IfMissing,
    Never,
}

/// Opens a file; `None` if it is not there.
fn open(path: &Path, create: Create) -> io::Result<Option<File>> {
    match options().create(create == Create::IfMissing).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && create == Create::Never => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
        options.mode(0o600).custom_flags(no_follow);
    }
    // On Windows, a file that is not shared is locked.
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 0);
    options
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

enum Guard {
    Io(io::Error),
    Refused(FileStoreError),
}

/// Refuses another's file, modes that let others in, and a folder in which others could replace it.
#[cfg(unix)]
fn guarded(path: &Path, file: &File, own: u32) -> Result<(), Guard> {
    use std::os::unix::fs::MetadataExt;
    let here = file.metadata().map_err(Guard::Io)?;
    let path = path.to_owned();
    if here.uid() != own {
        return Err(Guard::Refused(FileStoreError::Owner { path }));
    }
    if here.mode() & 0o077 != 0 {
        return Err(Guard::Refused(FileStoreError::Mode { path, mode: here.mode() & 0o777 }));
    }
    let folder = path.parent().unwrap_or(&path).to_owned();
    let around = fs::metadata(&folder).map_err(Guard::Io)?;
    let others_write = around.mode() & 0o022 != 0 && around.mode() & 0o1000 == 0;
    let is_anothers = around.uid() != own && around.uid() != 0;
    if others_write || is_anothers {
        return Err(Guard::Refused(FileStoreError::Folder { path: folder }));
    }
    Ok(())
}

/// Returns the user as whom this process acts.
#[cfg(unix)]
fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn user() -> u32 {
    0
}

#[cfg(not(unix))]
fn guarded(_: &Path, _: &File, _: u32) -> Result<(), Guard> {
    Ok(())
}

#[cfg(unix)]
fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

#[cfg(not(unix))]
fn is_link(_: &io::Error) -> bool {
    false
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn file_system(file: &File) -> io::Result<u32> {
    let kind = rustix::fs::fstatfs(file)?.f_type;
    // It has 32 bits. On some machines, they are stored as a number with a sign.
    Ok(u32::try_from(kind & 0xffff_ffff).unwrap_or_default())
}

/// Other systems do not name the kind of a file system by such a number.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn file_system(_: &File) -> io::Result<u32> {
    Ok(0)
}

/// Returns whether files of this kind of file system may be on another machine (statfs(2)).
fn is_network(kind: u32) -> bool {
    NETWORK.iter().any(|(_, known)| *known == kind)
}

const NETWORK: [(&str, u32); 12] = [
    ("NFS", 0x6969),
    ("SMB", 0x517b),
    ("SMB 2", 0xfe53_4d42),
    ("CIFS", 0xff53_4d42),
    ("FUSE", 0x6573_5546),
    ("9P", 0x0102_1997),
    ("AFS", 0x5346_414f),
    ("CEPH", 0x00c3_6400),
    ("CODA", 0x7375_7245),
    ("GFS2", 0x0116_1970),
    ("OCFS2", 0x7461_636f),
    ("Lustre", 0x0bd0_0bd0),
];

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::{FileStoreError, Files, Guard, NETWORK, OnNetwork, guarded, user};
    use crate::store::StoreError;

    /// A folder for one test, which is gone with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("imts-lock-{}-{name}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
            Self(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn a_file_system_of_other_machines_is_refused_unless_it_was_accepted() {
        let folder = Folder::new("network");
        let path = folder.0.join("session");
        let now = Duration::ZERO;
        assert!(Files::new(path.clone(), OnNetwork::Refused).lock(now).is_ok());
        for (name, kind) in
            [("NFS", (|_| Ok(0x6969)) as fn(&File) -> _), ("FUSE", |_| Ok(0x6573_5546))]
        {
            assert!(NETWORK.iter().any(|(known, _)| *known == name));
            let mut files = Files::new(path.clone(), OnNetwork::Refused);
            files.kind = kind;
            let refused = files.lock(now).map(drop);
            assert!(matches!(refused, Err(StoreError::NetworkFileSystem)), "{refused:?}");
            let refused = files.alive().map(drop);
            assert!(matches!(refused, Err(StoreError::NetworkFileSystem)), "{refused:?}");
            files.on_network = OnNetwork::Accepted;
            assert!(files.lock(now).is_ok());
        }
    }

    #[test]
    fn the_file_of_another_user_is_refused() {
        let folder = Folder::new("owner");
        let path = folder.0.join("session");
        let file = File::create(&path).unwrap();
        file.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
        assert!(guarded(&path, &file, user()).is_ok());
        let another = user().wrapping_add(1);
        let Err(Guard::Refused(refused)) = guarded(&path, &file, another) else { panic!() };
        assert_eq!(refused, FileStoreError::Owner { path });
    }
}
