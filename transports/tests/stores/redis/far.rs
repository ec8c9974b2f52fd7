//! A server that is far away: what a renewal costs there, and who waits for it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use imts::store::redis::RedisStore;

use crate::clients::World;
use crate::redis_server::RedisServer;

/// Lets each piece of data arrive later, both ways, and counts what the server says.
struct Distance {
    port: u16,
    replies: Arc<AtomicUsize>,
}

impl Distance {
    fn to(server: &RedisServer, each_way: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, there) = (listener.local_addr().unwrap().port(), server.port());
        let replies = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&replies);
        thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                let Ok(far) = TcpStream::connect(("127.0.0.1", there)) else { continue };
                near.set_nodelay(true).unwrap();
                far.set_nodelay(true).unwrap();
                let none = Arc::new(AtomicUsize::new(0));
                carry(near.try_clone().unwrap(), far.try_clone().unwrap(), each_way, none);
                carry(far, near, each_way, Arc::clone(&counted));
            }
        });
        Self { port, replies }
    }

    fn store(&self) -> RedisStore {
        RedisStore::new(format!("redis://127.0.0.1:{}", self.port).parse().unwrap())
    }

    fn replies(&self) -> usize {
        self.replies.load(Ordering::SeqCst)
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, late: Duration, counted: Arc<AtomicUsize>) {
    let (sender, pieces) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = [0; 65_536];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            drop(sender.send((Instant::now() + late, buffer[..read].to_vec())));
        }
    });
    thread::spawn(move || {
        for (when, piece) in pieces {
            thread::sleep(when.saturating_duration_since(Instant::now()));
            counted.fetch_add(1, Ordering::SeqCst);
            if to.write_all(&piece).is_err() {
                return;
            }
        }
        drop(to.shutdown(Shutdown::Write));
    });
}

/// The time that it takes to get a token when there is none, after the first one.
fn renewals(client: &imts::Client, rounds: u32, mut each: impl FnMut()) -> Duration {
    client.token().unwrap();
    let mut all = Duration::ZERO;
    for _ in 0..rounds {
        // The token ends, and nobody has asked for another one.
        thread::sleep(Duration::from_millis(2_200));
        let asked = Instant::now();
        client.token().unwrap();
        all += asked.elapsed();
        each();
    }
    all / rounds
}

#[test]
fn a_renewal_over_a_far_server_takes_at_most_two_round_trips_more() {
    let server = RedisServer::start();
    let way = Distance::to(&server, Duration::from_millis(25));
    let mut world = World::default();
    world.latency = Duration::from_millis(20);
    world.sandbox().settings_mut().access_lifetime = Duration::from_secs(2);
    let client = world.client_over(world.builder().store(way.store()));
    let mut before = None;
    let with = renewals(&client, 3, || {
        // Its hand-over, and what came while it slept, are behind the ask before this one.
        let turns = way.replies() - before.unwrap_or(0);
        if before.is_some() {
            assert!(turns <= 1 + 2, "{turns} round trips since the token before");
        }
        before = Some(way.replies());
    });
    let without = renewals(&world.client_over(world.builder()), 3, || {});
    println!("a renewal takes {with:?} over a server 50 ms away, {without:?} without a store");
    assert_eq!(client.store_counts().failed, 0);
}

#[test]
fn nobody_waits_for_a_far_server_while_a_token_is_usable() {
    let server = RedisServer::start();
    let each_way = Duration::from_millis(400);
    let way = Distance::to(&server, each_way);
    let world = World::default();
    world.sandbox().settings_mut().access_lifetime = Duration::from_secs(6);
    let client = world.client_over(world.builder().store(way.store()));
    client.token().unwrap();
    let (began, mut longest) = (Instant::now(), Duration::ZERO);
    while began.elapsed() < Duration::from_secs(9) {
        let asked = Instant::now();
        client.token().unwrap();
        longest = longest.max(asked.elapsed());
        thread::sleep(Duration::from_millis(5));
    }
    println!("the longest ask took {longest:?}, a round trip {:?}", each_way * 2);
    assert!(client.store_counts().renewed >= 2, "{:?}", client.store_counts());
    assert!(longest < each_way, "an ask waited {longest:?}");
}
