//! A pooler between a client and a PostgreSQL server: PgBouncer, one transaction a turn.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{Postgres, as_other_user, folder, free_port, give_away, signalled};

/// A pooler with two sessions of the server for any number of clients.
pub(crate) struct Pooler {
    folder: PathBuf,
    port: u16,
    child: Child,
}

impl Pooler {
    pub(crate) fn start(server: &Postgres) -> Self {
        let (folder, port) = (folder("pooler"), free_port());
        let settings = format!(
            "[databases]\npostgres = host=127.0.0.1 port={} user=payer application_name=pooled\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n",
            server.port()
        );
        fs::write(folder.join("settings"), settings).unwrap();
        give_away(&folder);
        let mut command = as_other_user("pgbouncer");
        command.arg(folder.join("settings"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = command.stderr(log).spawn().unwrap();
        let mut pooler = Self { folder, port, child };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = fs::read_to_string(pooler.folder.join("log")).unwrap();
            assert!(pooler.child.try_wait().unwrap().is_none(), "the pooler ended: {log}");
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not answer: {log}");
            std::thread::sleep(Duration::from_millis(10));
        }
        pooler
    }

    /// The address for this crate.
    pub(crate) fn address(&self) -> String {
        format!("postgres://payer@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        signalled("INT", self.child.id());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}
