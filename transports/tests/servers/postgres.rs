//! A PostgreSQL server of one test's own: on a free port and on a Unix socket, gone with the test.
//!
//! Several test programs include this file.
#![allow(dead_code, unused_imports, reason = "each test program uses a part of it")]

#[path = "pooler.rs"]
mod pooler;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub(crate) use self::pooler::Pooler;

/// A running server, or one that was stopped.
pub(crate) struct Postgres {
    folder: PathBuf,
    port: u16,
    settings: Vec<String>,
    child: Option<Child>,
}

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It ends its connections, and writes a checkpoint.
    Fast,
    /// It stops as it is, as in a crash. The next start recovers from its log.
    Immediate,
}

impl Postgres {
    /// Starts a server with its defaults.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with these settings, such as `fsync=off`.
    pub(crate) fn start_with(settings: &[&str]) -> Self {
        let mut server = Self::prepared();
        copied(&template(), &server.data());
        server.set(settings);
        server.run();
        server
    }

    /// Starts a server whose identifier no other one has. The others are copies of one.
    pub(crate) fn start_unlike() -> Self {
        let mut server = Self::prepared();
        server.create();
        server.run();
        server
    }

    fn create(&self) {
        let initdb = ["--no-sync", "--auth=trust", "--username=payer", "--encoding=UTF8", "-D"];
        self.tool("initdb", &initdb, "data");
    }

    /// Asks for a password over TCP from now on. The Unix socket stays open for the test itself.
    pub(crate) fn ask_for_password(&self, password: &str) {
        self.sql(&format!("ALTER ROLE payer PASSWORD '{password}'"));
        let rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(self.data().join("pg_hba.conf"), rules).unwrap();
        self.sql("SELECT pg_reload_conf()");
    }

    /// Puts a file where the server's settings name it, such as a certificate.
    pub(crate) fn put(&self, name: &str, text: &str) {
        let path = self.data().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if is_root() {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    /// Sets what the next start uses.
    pub(crate) fn set(&mut self, settings: &[&str]) {
        self.settings = settings.iter().map(|&setting| setting.to_owned()).collect();
    }

    /// Starts a standby of this server, on a port of its own.
    pub(crate) fn standby(&self) -> Self {
        let mut standby = Self::prepared();
        let source = format!("--dbname={}", self.libpq());
        let copy = ["--checkpoint=fast", "--write-recovery-conf", &source, "-D"];
        standby.tool("pg_basebackup", &copy, "data");
        standby.run();
        standby
    }

    /// Makes a standby the primary.
    pub(crate) fn promote(&self) {
        self.sql("SELECT pg_promote()");
    }

    fn prepared() -> Self {
        let folder = folder("postgres");
        give_away(&folder);
        Self { folder, port: free_port(), settings: Vec::new(), child: None }
    }

    /// The address for this crate, over TCP.
    pub(crate) fn address(&self) -> String {
        format!("postgres://payer@127.0.0.1:{}/postgres", self.port)
    }

    /// The address for this crate, over the Unix socket.
    pub(crate) fn socket_address(&self) -> String {
        let (folder, port) = (self.folder.display(), self.port);
        format!("host={folder} port={port} user=payer dbname=postgres")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn libpq(&self) -> String {
        self.socket_address()
    }

    /// Where its data is.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Runs a statement with PostgreSQL's own client, and returns what it prints.
    pub(crate) fn sql(&self, statement: &str) -> String {
        let mut psql = Command::new(binary("psql"));
        psql.args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.libpq()]);
        let output = psql.args(["-c", statement]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs a statement in a transaction that stays open until the result is dropped.
    pub(crate) fn holding(&self, statement: &str) -> Holding {
        let mut psql = Command::new(binary("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.libpq()]);
        let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let commands = format!("BEGIN;\n{statement};\n\\echo held\n");
        psql.stdin.as_mut().unwrap().write_all(commands.as_bytes()).unwrap();
        let mut lines = BufReader::new(psql.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "held"), "the statement failed");
        Holding(psql)
    }

    /// Stops the server, and waits for its end.
    pub(crate) fn stop(&mut self, how: Stop) {
        let Some(mut child) = self.child.take() else { return };
        let signal = if how == Stop::Fast { "INT" } else { "QUIT" };
        signalled(signal, child.id());
        child.wait().unwrap();
    }

    /// Starts a server that was stopped, with the same data.
    pub(crate) fn run(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let mut command = as_other_user("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(&self.folder);
        command.args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let log = fs::File::create(self.folder.join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        let begun = Instant::now();
        while !self.is_ready() {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(ended.is_none(), "the server ended: {}", log());
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not answer: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether it answers a statement.
    fn is_ready(&self) -> bool {
        if TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            return false;
        }
        let mut psql = Command::new(binary("psql"));
        psql.args(["-X", "-d", &self.libpq(), "-c", "SELECT 1"]);
        psql.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }

    /// Copies the data of a server that was stopped.
    pub(crate) fn back_up(&self) -> PathBuf {
        assert!(self.child.is_none(), "stop it first");
        let copy = self.folder.join("copy");
        copied(&self.data(), &copy);
        copy
    }

    /// Puts a copy in the place of the data of a server that was stopped.
    pub(crate) fn restore(&self, copy: &Path) {
        assert!(self.child.is_none(), "stop it first");
        fs::remove_dir_all(self.data()).unwrap();
        copied(copy, &self.data());
    }

    /// Reads a dump of this server's database into another one's.
    pub(crate) fn dump_into(&self, other: &Self) {
        let dump = self.folder.join("dump");
        self.tool("pg_dump", &["-d", &self.libpq(), "-f"], "dump");
        let mut psql = Command::new(binary("psql"));
        psql.args(["-X", "-v", "ON_ERROR_STOP=1", "-d", &other.libpq(), "-f"]).arg(dump);
        let output = psql.stdout(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn tool(&self, name: &str, args: &[&str], folder: &str) {
        let output = as_other_user(name).args(args).arg(self.folder.join(folder)).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A client of the server in the middle of a transaction.
pub(crate) struct Holding(Child);

impl Drop for Holding {
    /// The transaction ends with its client.
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop(Stop::Immediate);
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// The data of a new server, which takes seconds to make and a moment to copy. It is made once for
/// each user and version of PostgreSQL, and stays for the next run.
fn template() -> PathBuf {
    let mut name = format!("imts-postgres-{}-", is_root());
    let program = binary("initdb");
    name.extend(program.to_string_lossy().chars().filter(char::is_ascii_alphanumeric));
    let template = std::env::temp_dir().join(name);
    if !template.join("PG_VERSION").is_file() {
        let server = Postgres::prepared();
        server.create();
        // Another process may have made it meanwhile: then that one is used.
        drop(fs::rename(server.data(), &template));
    }
    template
}

fn copied(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success(), "cp: {status}");
}

pub(crate) fn signalled(signal: &str, process: u32) {
    let kill = Command::new("kill").args([&format!("-{signal}"), &process.to_string()]).status();
    assert!(kill.unwrap().success());
}

/// PostgreSQL does not run as root. This user owns nothing else.
const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    uids.split_whitespace().nth(1) == Some("0")
}

/// Creates a folder for one server.
fn folder(kind: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::SeqCst);
    let folder = std::env::temp_dir().join(format!("imts-{kind}-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn give_away(folder: &Path) {
    if is_root() {
        chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

fn as_other_user(name: &str) -> Command {
    let binary = binary(name);
    if !is_root() {
        return Command::new(binary);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(binary);
    // It must be able to enter its working folder.
    command.current_dir("/");
    command
}

/// Where a program of PostgreSQL is. Debian keeps the server's programs off the path.
fn binary(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.push("/usr/sbin".into());
    let all = std::env::split_paths(&path).chain(folders.into_iter().rev());
    let found = all.map(|folder| folder.join(name)).find(|it| it.is_file());
    found.unwrap_or_else(|| panic!("there is no program {name}: apt-get install -y postgresql"))
}
