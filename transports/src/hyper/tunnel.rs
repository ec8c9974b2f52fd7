//! Opens a tunnel through a proxy, on a connection to it.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::ready;

use hyper::rt::{Read, ReadBuf, Write};

use super::wire::BoxedIo;
use crate::connect::Place;
use crate::proxy::Proxy;
use crate::proxy::tunnel::{Answer, TunnelError, request};

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
    let mut answer = Answer::default();
    loop {
        let byte = read(io).await?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        if let Some(opened) = answer.take(byte) {
            return opened;
        }
    }
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
