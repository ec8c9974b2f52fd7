//! A client over either transport, as one thing.

use std::fmt::Debug;

use imts::{
    AsyncClient, BearerGuard, Builder, Client, Epoch, Operation, Outcome, Saved, TokenError,
};

use crate::{Carrier, RUNTIME};

pub(crate) enum Either {
    Threads(Client),
    Tasks(AsyncClient),
}

impl Carrier {
    /// A client over this transport, whose connections it shares with the transport's others.
    pub(crate) fn client(&self, builder: Builder) -> Either {
        match self {
            Self::Ureq(ureq) => Either::Threads(builder.blocking(ureq.clone()).unwrap()),
            Self::Hyper(hyper) => Either::Tasks(builder.nonblocking(hyper.clone()).unwrap()),
            Self::Reqwest(reqwest) => Either::Tasks(builder.nonblocking(reqwest.clone()).unwrap()),
        }
    }
}

impl Either {
    pub(crate) fn token(&self) -> Result<BearerGuard, TokenError> {
        match self {
            Self::Threads(client) => client.token(),
            Self::Tasks(client) => RUNTIME.block_on(client.token()),
        }
    }

    pub(crate) fn call<O>(&self, operation: &O) -> Outcome<O::Reply>
    where
        O: Operation<Reply: Debug>,
    {
        match self {
            Self::Threads(client) => client.call(operation).unwrap(),
            Self::Tasks(client) => RUNTIME.block_on(client.call(operation)).unwrap(),
        }
    }

    pub(crate) fn reject(&self, epoch: Epoch) {
        match self {
            Self::Threads(client) => client.reject(epoch),
            Self::Tasks(client) => client.reject(epoch),
        }
    }

    pub(crate) fn saved(&self) -> Option<Saved> {
        match self {
            Self::Threads(client) => client.saved(),
            Self::Tasks(client) => client.saved(),
        }
    }
}
