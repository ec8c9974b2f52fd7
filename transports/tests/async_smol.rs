//! hyper's client on smol: no thread of tokio's in the whole process.
#![cfg(feature = "hyper-util")]

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use imts::{Builder, Credentials, Endpoint, HyperTransport, TokenError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Front, Sandbox};
use smol::net::TcpStream;
use smol_hyper::rt::{FuturesIo, SmolExecutor, SmolTimer};

/// The names of this process's threads, where the system tells them.
fn threads() -> Vec<String> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok()).collect()
}

#[test]
fn hyper_runs_on_smol_without_a_thread_of_tokios() {
    // The service answers once somebody has lost patience with it.
    let (answer, answers) = mpsc::channel();
    let front = Front::builder(Sandbox::default())
        .handler(move |sandbox, now, request| {
            answers.recv().unwrap();
            sandbox.handle(now, request)
        })
        .start()
        .unwrap();

    let executor = Arc::new(smol::Executor::new());
    let dialled = Arc::new(Mutex::new(Vec::new()));
    let hosts = Arc::clone(&dialled);
    let dial = move |host: String, port: u16| {
        hosts.lock().unwrap().push(host.clone());
        async move { Ok(FuturesIo::new(TcpStream::connect((host, port)).await?)) }
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let transport = HyperTransport::builder(Arc::new(tls).into())
        .runtime(SmolExecutor::new(Arc::clone(&executor)), SmolTimer::new(), dial)
        .build();
    let url = format!("http://localhost:{}", front.address().port());
    let client = Builder::new(Endpoint::plain_loopback(&url).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
        .nonblocking(transport)
        .unwrap();

    smol::block_on(executor.run(async {
        let hasty = client.with_patience(Duration::from_millis(1));
        assert!(matches!(hasty.token().await.unwrap_err(), TokenError::TimedOut));
        answer.send(()).unwrap();
        let asks: Vec<_> = (0..100)
            .map(|_| {
                let client = client.clone();
                executor.spawn(async move { client.token().await })
            })
            .collect();
        for ask in asks {
            ask.await.unwrap();
        }
    }));
    assert_eq!(front.log().len(), 1);
    assert_eq!(*dialled.lock().unwrap(), ["127.0.0.1"], "localhost is never looked up");
    let threads = threads();
    assert!(!threads.iter().any(|name| name.contains("tokio")), "{threads:?}");
}
