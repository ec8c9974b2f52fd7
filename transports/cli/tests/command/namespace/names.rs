//! A name server that answers by one table (RFC 1035), on this namespace's loopback.

use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

/// The addresses of each name. A name that is not there does not exist.
#[derive(Clone, Default)]
pub(super) struct Names(Arc<Mutex<BTreeMap<String, Vec<IpAddr>>>>);

impl Names {
    /// Answers each request, as long as the process lives.
    pub(super) fn serve() -> Self {
        let (names, socket) = (Self::default(), UdpSocket::bind("127.0.0.1:53").unwrap());
        let table = names.clone();
        thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut query) {
                if let Some(answer) = table.answer(&query[..length]) {
                    drop(socket.send_to(&answer, from));
                }
            }
        });
        names
    }

    pub(super) fn set(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.0.lock().unwrap().insert(name.to_owned(), addresses);
    }

    /// Answers a query of one question.
    fn answer(&self, query: &[u8]) -> Option<Vec<u8>> {
        let (mut at, mut labels) = (12, Vec::new());
        while let length @ 1.. = usize::from(*query.get(at)?) {
            labels
                .push(String::from_utf8_lossy(query.get(at + 1..at + 1 + length)?).to_lowercase());
            at += 1 + length;
        }
        let question = query.get(12..at + 5)?;
        let kind = query.get(at + 1..at + 3)?;
        let table = self.0.lock().unwrap();
        let found = table.get(&labels.join("."));
        let records: Vec<Vec<u8>> = found
            .into_iter()
            .flatten()
            .filter_map(|address| match (address, kind) {
                (IpAddr::V4(address), [0, 1]) => Some(address.octets().to_vec()),
                (IpAddr::V6(address), [0, 28]) => Some(address.octets().to_vec()),
                _ => None,
            })
            .collect();
        let mut answer = query.get(..2)?.to_vec();
        // An authoritative answer: recursion is available, and whether the name exists.
        answer.extend([0x85, if found.is_some() { 0x80 } else { 0x83 }, 0, 1, 0]);
        answer.extend([u8::try_from(records.len()).unwrap(), 0, 0, 0, 0]);
        answer.extend(question);
        for record in records {
            answer.extend([0xc0, 12]);
            answer.extend(kind);
            answer.extend([0, 1, 0, 0, 0, 0, 0, u8::try_from(record.len()).unwrap()]);
            answer.extend(record);
        }
        Some(answer)
    }
}
