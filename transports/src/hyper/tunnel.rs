//! Opens a tunnel through a proxy, on a connection to it.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use hyper::rt::{Read, ReadBuf, Write};

use super::wire::BoxedIo;
use crate::connect::Place;
use crate::proxy::Proxy;
use crate::proxy::tunnel::{Answer, SHOWN, TunnelError, request};

/// Asks a proxy for a tunnel.
pub(super) async fn open(
    io: &mut BoxedIo,
    proxy: &Proxy,
    to: Place<'_>,
) -> Result<(), TunnelError> {
    let request = request(proxy, to)?;
    let mut left = request.as_slice();
    while !left.is_empty() {
        let written = poll_fn(|cx| Pin::new(&mut *io).poll_write(cx, left)).await?;
        if written == 0 {
            return Err(io::Error::from(io::ErrorKind::WriteZero).into());
        }
        left = left.get(written..).unwrap_or_default();
    }
    poll_fn(|cx| Pin::new(&mut *io).poll_flush(cx)).await?;
    let mut answer = Answer::of(proxy);
    loop {
        let Some(byte) = read(io).await? else { return Err(answer.ended()) };
        match answer.take(byte) {
            Some(Err(error)) => return Err(answer.showing(error, &arrived(io).await)),
            Some(Ok(())) => return Ok(()),
            None => {}
        }
    }
}

/// Returns what has arrived already, and does not wait for more.
async fn arrived(io: &mut BoxedIo) -> Vec<u8> {
    let mut bytes = [0; SHOWN];
    let length = poll_fn(|cx| {
        let mut buffer = ReadBuf::new(&mut bytes);
        let _read = Pin::new(&mut *io).poll_read(cx, buffer.unfilled());
        Poll::Ready(buffer.filled().len())
    })
    .await;
    bytes[..length].to_vec()
}

/// Reads one byte; `None` at the end.
async fn read(io: &mut BoxedIo) -> io::Result<Option<u8>> {
    let mut byte = [0];
    poll_fn(|cx| {
        let mut buffer = ReadBuf::new(&mut byte);
        ready!(Pin::new(&mut *io).poll_read(cx, buffer.unfilled()))?;
        Ok(buffer.filled().first().copied()).into()
    })
    .await
}
