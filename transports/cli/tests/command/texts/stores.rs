//! A session that processes share: what is reported, what a store holds, and why it cannot be used.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use imts_sandbox::{Front, Sandbox};

use super::scenes::Scenes;
use crate::store::store_of;
use crate::{imts, run, token};

pub(super) fn shoot(scenes: &mut Scenes) {
    let folder = scenes.folder.path("");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    let front = Front::start(Sandbox::default()).unwrap();
    used(scenes, &front);
    shown(scenes, &front);
    unusable(scenes, &front);
}

fn used(scenes: &mut Scenes, front: &Front) {
    let store = format!("file:{}", scenes.folder.path("session"));
    let with_store = || token(&front.url(), &["--store", &store]);
    scenes.run("a sign-in with a store", &mut with_store());
    scenes.both("a token that is in the store", with_store);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dead = format!("redis://127.0.0.1:{port}");
    scenes.both("a store that does not answer", || token(&front.url(), &["--store", &dead]));
    scenes.both("the same, shown", || store_of(front, "show", &dead, &[]));
}

fn shown(scenes: &mut Scenes, front: &Front) {
    let store = format!("file:{}", scenes.folder.path("session"));
    let of = |what: &str, store: &str| store_of(front, what, store, &[]);
    scenes.both("what a store holds", || of("show", &store));
    scenes.both("a session that is forgotten", || of("forget", &store));
    scenes.run("what it then holds", &mut of("show", &store));
    let other = format!("file:{}", scenes.folder.path("other"));
    scenes.run("a store in which nothing is yet", &mut of("show", &other));
    let with_store = || token(&front.url(), &["--store", &other]);
    assert_eq!(run(with_store().env("IMTS_AGENT_SECRET", "wrong")).code, 3);
    scenes.both("a renewal that has failed in another process", with_store);
    scenes.run("the same, shown", &mut of("show", &other));
}

fn unusable(scenes: &mut Scenes, front: &Front) {
    let with = |store: &str, more: &[&str]| -> Command {
        let mut command = token(&front.url(), &["--store", store]);
        command.args(more);
        command
    };
    for store in [
        "session",
        "rediss://imts:secret@host.example",
        "redis://host:0",
        "postgres://payer:secret@host.example/payments",
        "postgres://payer@host.example/payments?sslmode=disable",
    ] {
        scenes.run("not a store", &mut with(store, &[]));
    }
    scenes.run("a store without its folder", &mut with("file:/no/such/folder/session", &[]));
    let open = scenes.folder.write("open", "");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    scenes.run("a store that others can read", &mut with(&format!("file:{open}"), &[]));
    let sealed = format!("file:{}", scenes.folder.path("sealed"));
    let key = scenes.folder.write("key", "A".repeat(43) + "=\n");
    let other = scenes.folder.write("other-key", "E".repeat(43) + "=\n");
    let wrong = scenes.folder.write("wrong-key", "A".repeat(40));
    assert_eq!(run(&mut with(&sealed, &["--store-key-file", &key])).code, 0);
    scenes.run("a store without its key", &mut with(&sealed, &["--store-key-file", &other]));
    let mut show = store_of(front, "show", &sealed, &["--store-key-file", &other]);
    scenes.run("", &mut show);
    scenes.run("not a key", &mut with(&sealed, &["--store-key-file", &wrong]));
    let nowhere = ["--store-password-file", "/no/such/file"];
    scenes.run("no file with its password", &mut with("redis://127.0.0.1", &nowhere));
    let url = front.url();
    let mut no_store = imts(&["store", "show", "--plain-http", "--base-url", &url]);
    let redis = "redis://127.0.0.1";
    scenes.run("a table for Redis", &mut store_of(front, "migrate", redis, &[]));
    scenes.run("no store", no_store.args(["--agent-id", "agent-7"]));
}
