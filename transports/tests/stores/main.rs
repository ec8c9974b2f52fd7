//! Stores that several processes share, and the clients that use them.

mod conformance;
