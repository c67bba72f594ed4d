//! Parts of scenarios, and the credentials of an application.

/// An incoming call that rings at once, until the ring timeout.
pub const RING: &str = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n";

/// An api hash of the right form.
pub const API_HASH: &str = "0123456789abcdef0123456789abcdef";
