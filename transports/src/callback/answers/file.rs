//! Answers in the files of a folder, for the processes of one machine.
//!
//! Owns the form of a file, and the order in which a claim locks, reads and writes. Which files are
//! refused is the rule of the store in a file.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Answers, AnswersError, Claim, Claimed, Kept};
use crate::disk::Locked;
use crate::store::StoreError;
use crate::store::file::{Files, OnNetwork, cannot, sync_folder};

/// Keeps answers in a folder, for all processes of one machine that receive callbacks.
///
/// It has a file for each message, named after its key, with mode 0600. A claim and an answer are
/// durable before they are returned. While a message is decided, `KEY.lock` is locked beside its
/// file. If the process dies, the system drops the lock, and the next delivery is decided again at
/// once.
///
/// Nothing is ever removed. The gateway repeats a result for two hours (published), and perhaps
/// after `pg_lifetime`. You may remove files that are older than that by far: a later repeat is then
/// decided as a new message.
///
/// A network file system may not lock, so it is refused, as for
/// [`FileStore`](crate::store::file::FileStore). A file that cannot be read as an answer is an error
/// for its message, and is left as it is.
///
/// ```
/// use imts::callback::FileAnswers;
/// # let folder = std::env::temp_dir().join(format!("imts-answers-{}", std::process::id()));
///
/// let answers = FileAnswers::open(&folder)?; // give it to Callbacks::new
/// assert_eq!(answers.folder(), folder);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FileAnswers {
    folder: PathBuf,
    /// The locks of the open claims of this process, by their holders.
    open: Mutex<BTreeMap<u64, Locked>>,
}

/// What a file says.
enum Entry {
    Begun,
    Answered(Kept),
}

impl FileAnswers {
    /// Opens a folder. If it is missing, it is made with mode 0700.
    ///
    /// # Errors
    ///
    /// [`AnswersError::Unreachable`] if it cannot be used, or if other users could read or change
    /// what is in it.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, AnswersError> {
        let folder = folder.as_ref();
        let failed = |error| AnswersError::from(cannot("open", folder, &error));
        let folder = std::path::absolute(folder).map_err(failed)?;
        match make(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(error));
            }
            _ => {}
        }
        let answers = Self { folder, open: Mutex::default() };
        // Looks at the folder, its owner and its file system.
        drop(answers.files("opened").lock(std::time::Duration::from_secs(2))?);
        Ok(answers)
    }

    /// Returns the absolute path of the folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn files(&self, key: &str) -> Files {
        Files::new(self.folder.join(key), OnNetwork::Refused)
    }

    fn locks(&self) -> MutexGuard<'_, BTreeMap<u64, Locked>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers for FileAnswers {
    fn claim(&self, claim: &Claim) -> Result<Claimed, AnswersError> {
        let files = self.files(claim.key().as_str());
        // A file is replaced as a whole, so an answer can be read without the lock.
        if let Some(Entry::Answered(kept)) = read(&files)? {
            return Ok(Claimed::Answered(kept));
        }
        let lock = files.lock(claim.within())?;
        let claimed = match read(&files)? {
            Some(Entry::Answered(kept)) => return Ok(Claimed::Answered(kept)),
            Some(Entry::Begun) => Claimed::Again,
            None => {
                write(&files, claim.holder(), BEGUN.as_bytes())?;
                Claimed::First
            }
        };
        self.locks().insert(claim.holder(), lock);
        Ok(claimed)
    }

    fn settle(&self, claim: &Claim, answer: &[u8]) -> Result<Kept, AnswersError> {
        let files = self.files(claim.key().as_str());
        let own = self.locks().remove(&claim.holder());
        let lock = match own {
            Some(lock) => lock,
            None => files.lock(claim.within())?,
        };
        if let Some(Entry::Answered(kept)) = read(&files)? {
            return Ok(kept);
        }
        let fingerprint = claim.fingerprint().to_owned();
        let head = format!("{ANSWERED}{fingerprint} {}\n", answer.len());
        write(&files, claim.holder(), &[head.as_bytes(), answer].concat())?;
        drop(lock);
        Ok(Kept { fingerprint, answer: answer.to_vec() })
    }

    fn release(&self, claim: &Claim) {
        let lock = self.locks().remove(&claim.holder());
        drop(lock);
    }
}

impl fmt::Debug for FileAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileAnswers").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Reads the file of a message; `None` if it was never claimed.
fn read(files: &Files) -> Result<Option<Entry>, AnswersError> {
    let Some(file) = files.register()? else { return Ok(None) };
    let mut bytes = Vec::new();
    let read = file.take(LONGEST).read_to_end(&mut bytes);
    read.map_err(|error| cannot("read", &files.path, &error))?;
    match entry(&bytes) {
        Some(entry) => Ok(Some(entry)),
        None => Err(AnswersError::from(StoreError::Damaged)),
    }
}

fn entry(bytes: &[u8]) -> Option<Entry> {
    if bytes == BEGUN.as_bytes() {
        return Some(Entry::Begun);
    }
    let rest = bytes.strip_prefix(ANSWERED.as_bytes())?;
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (head, answer) = (rest.get(..end)?, rest.get(end + 1..)?);
    let (fingerprint, length) = std::str::from_utf8(head).ok()?.split_once(' ')?;
    let is_whole = length.parse() == Ok(answer.len());
    let kept = Kept { fingerprint: fingerprint.to_owned(), answer: answer.to_vec() };
    is_whole.then_some(Entry::Answered(kept))
}

/// Makes a file durable in the place of what is there.
fn write(files: &Files, holder: u64, bytes: &[u8]) -> Result<(), AnswersError> {
    let (mut file, beside) = files.beside(holder)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_data());
    // On Windows, an open file cannot be renamed.
    drop(file);
    if let Err(error) = written.and_then(|()| fs::rename(&beside, &files.path)) {
        let _ = fs::remove_file(&beside);
        return Err(cannot("write", &files.path, &error).into());
    }
    Ok(sync_folder(&files.path)?)
}

#[cfg(unix)]
fn make(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)
}

/// How a file begins: the form's name and version, and what it says.
const BEGUN: &str = "imts-answer 1 begun\n";
const ANSWERED: &str = "imts-answer 1 answered ";

/// The longest file, in bytes. An answer is far shorter.
const LONGEST: u64 = 65_536;
