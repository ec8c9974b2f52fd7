//! A cluster: the key is at another node, and one hop leads there.

use imts::Store;
use imts::store::redis::RedisStore;
use imts::swap::Stamp;

use super::{FIRST, KEY, SECOND, done, eventually, failed, found, put};
use crate::redis_server::RedisServer;

/// Two nodes, each with half of the keys, that know each other.
fn cluster() -> [RedisServer; 2] {
    let node =
        || RedisServer::with(&["--cluster-enabled", "yes", "--cluster-node-timeout", "5000"]);
    // The bus listens on the port 10,000 higher.
    let nodes = [node(), node()];
    nodes[0].ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "8191"]);
    nodes[1].ask(&["CLUSTER", "ADDSLOTSRANGE", "8192", "16383"]);
    nodes[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &nodes[1].port().to_string()]);
    for node in &nodes {
        eventually("the nodes know each other", || {
            node.text(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
        });
    }
    nodes
}

#[test]
fn the_node_that_has_the_key_is_found_from_any_node() {
    let nodes = cluster();
    let [first, second] = [0, 1].map(|node| RedisStore::new(nodes[node].address()));
    assert!(!done(&first, &put(Stamp::NONE, FIRST)));
    assert!(!done(&second, &put(FIRST, SECOND)));
    assert_eq!(found(&first).stamp(), SECOND);
    let keys: Vec<_> = nodes.iter().map(|node| node.text(&["DBSIZE"])).collect();
    assert!(keys.contains(&"1".to_owned()) && keys.contains(&"0".to_owned()), "{keys:?}");
}

#[test]
fn two_nodes_that_send_to_each_other_are_not_followed_for_ever() {
    let nodes = cluster();
    assert!(!done(&RedisStore::new(nodes[0].address()), &put(Stamp::NONE, FIRST)));
    let has = usize::from(nodes[1].text(&["DBSIZE"]) == "1");
    // The node that has the key now sends to the other one, which does not know that.
    let other = nodes[1 - has].text(&["CLUSTER", "MYID"]);
    let slot = nodes[has].text(&["CLUSTER", "KEYSLOT", KEY]);
    nodes[has].ask(&["FLUSHALL"]);
    nodes[has].ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &other]);
    let (kind, text) = failed(RedisStore::new(nodes[has].address()).swap(&super::look()));
    assert_eq!(kind, "unreachable");
    assert!(text.contains("MOVED") || text.contains("CLUSTERDOWN"), "{text}");
}
