//! A SOCKS5 proxy that wants a user and a password, and counts who comes through.
//!
//! Sources: RFC 1928, RFC 1929.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A running proxy; it runs until the test ends.
pub struct Proxy {
    pub address: SocketAddr,
    /// How many connections have been let through.
    pub passed: Arc<AtomicUsize>,
}

impl Proxy {
    pub fn start(user: &'static str, password: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let passed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&passed);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let count = Arc::clone(&count);
                // A client that is refused has its answer.
                thread::spawn(move || drop(serve(client, user, password, &count)));
            }
        });
        Self { address, passed }
    }
}

fn serve(
    mut client: TcpStream,
    user: &str,
    password: &str,
    passed: &AtomicUsize,
) -> io::Result<()> {
    let methods = usize::from(exactly::<2>(&mut client)?[1]);
    client.read_exact(&mut vec![0; methods])?;
    client.write_all(&[5, 2])?;
    exactly::<1>(&mut client)?;
    let (name, secret) = (text(&mut client)?, text(&mut client)?);
    if (name.as_str(), secret.as_str()) != (user, password) {
        return client.write_all(&[1, 1]);
    }
    client.write_all(&[1, 0])?;
    // Version, connect, reserved, IPv4.
    if exactly::<4>(&mut client)? != [5, 1, 0, 1] {
        return client.write_all(&[5, 8, 0, 1, 0, 0, 0, 0, 0, 0]);
    }
    let ip = Ipv4Addr::from(exactly::<4>(&mut client)?);
    let port = u16::from_be_bytes(exactly(&mut client)?);
    let server = TcpStream::connect((ip, port))?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    passed.fetch_add(1, Ordering::Relaxed);
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut from, &mut to));
    let (mut from, mut to) = (server, client);
    io::copy(&mut from, &mut to).map(drop)
}

fn exactly<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).map(|()| bytes)
}

fn text(stream: &mut TcpStream) -> io::Result<String> {
    let length = usize::from(exactly::<1>(stream)?[0]);
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
