//! One TCP connection: a known key, then requests in and answers and updates out.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::call::SessionIx;
use super::message::{Link, Reply, RpcRequest, invalid};
use super::scenario::{InvalidMessage, NetworkFaultKind};
use super::transport::{Reader, Writer};
use super::world::{MessageFault, ResponseKind};
use super::{NetworkState, Shared, Subscriber, crypt, handshake, lock, rpc};

/// By how much every answer is late on a slow line, in milliseconds.
const SLOW: i64 = 2000;

/// Serves one connection until either side ends it.
pub(super) async fn serve(shared: Arc<Shared>, dc: i32, stream: TcpStream, number: u64) {
    let mut line = shared.line.subscribe();
    let cuts = line.borrow_and_update().cuts;
    let cut = line.wait_for(|line| line.cuts != cuts);
    tokio::select! {
        biased;
        _ = cut => {}
        ended = converse(&shared, dc, stream, number) => {
            if let Err(error) = ended {
                tracing::debug!(number, %error, "connection ended");
            }
        }
    }
    lock(&shared.connections).retain(|connection| connection.number != number);
}

async fn converse(shared: &Arc<Shared>, dc: i32, stream: TcpStream, number: u64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if lock(&shared.world).ends_by_reset() {
        stream.set_zero_linger()?;
    }
    let (read, write) = stream.into_split();
    let mut frames = frames(Reader::new(read));
    let mut writer = Writer::new(write);
    let Some(mut first) = frames.recv().await.transpose()? else { return Ok(()) };
    while let Some(answer) = handshake::answer(&first, shared.wire_now()) {
        writer.write(&answer).await?;
        let Some(next) = frames.recv().await.transpose()? else { return Ok(()) };
        first = next;
    }

    let key_id: [u8; 8] = *first.first_chunk().ok_or(io::ErrorKind::InvalidData)?;
    let found = lock(&shared.world).session_of(dc, key_id);
    let Some(session) = found else {
        // The later steps of a key exchange end here too: this server makes no keys.
        return writer.write_error(-404).await;
    };
    let key = lock(&shared.world).sessions()[session].key.clone();
    let (replies, queue) = mpsc::unbounded_channel();
    let link = Link::new(key.clone());
    let client = rpc::Client::default();
    let mut talk = ServerConnection {
        shared,
        session,
        number,
        link,
        client,
        replies,
        close: Arc::default(),
        disconnect_at: None,
        refused: None,
    };
    talk.run(&key, first, &mut frames, queue, &mut writer).await
}

/// A connection that has shown a known key.
struct ServerConnection<'a> {
    shared: &'a Arc<Shared>,
    session: SessionIx,
    number: u64,
    link: Link,
    client: rpc::Client,
    replies: mpsc::UnboundedSender<Reply>,
    /// Rings when the server wants to close this connection.
    close: Arc<Notify>,
    /// When to close the connection, unless another such ping comes before.
    disconnect_at: Option<Instant>,
    /// The code with which the transport is to refuse.
    refused: Option<u16>,
}

impl ServerConnection<'_> {
    async fn run(
        &mut self,
        key: &crypt::AuthKey,
        first: Vec<u8>,
        frames: &mut mpsc::Receiver<io::Result<Vec<u8>>>,
        mut queue: mpsc::UnboundedReceiver<Reply>,
        writer: &mut Writer<OwnedWriteHalf>,
    ) -> io::Result<()> {
        let mut line = self.shared.line.subscribe();
        let mut frame = Some(first);
        loop {
            silence(&mut line).await;
            if let Some(payload) = frame.take() {
                let message = key.decrypt(&payload).map_err(io::Error::other)?;
                self.receive(&message)?;
            }
            while let Ok(reply) = queue.try_recv() {
                self.link.queue(reply);
            }
            while let Some(payload) = self.link.next_payload(self.shared.wire_now()) {
                writer.write(&payload).await?;
            }
            if let Some(code) = self.refused {
                return writer.write_error(-i32::from(code)).await;
            }
            let end = self.disconnect_at;
            tokio::select! {
                biased;
                () = self.close.notified() => return Ok(()),
                received = frames.recv() => match received {
                    Some(payload) => frame = Some(payload?),
                    None => return Ok(()),
                },
                Some(reply) = queue.recv() => self.link.queue(reply),
                () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => return Ok(()),
            }
        }
    }

    fn receive(&mut self, message: &crypt::Incoming) -> io::Result<()> {
        let message_fault = lock(&self.shared.world).message_fault();
        match message_fault {
            Some(MessageFault::NewSalts) => self.link.change_salts(),
            Some(MessageFault::Refuse(code)) => self.link.refuse_next(code),
            None => {}
        }
        let now = self.shared.wire_now();
        for request in self.link.receive(message, now).map_err(io::Error::other)? {
            match request {
                RpcRequest::DisconnectAfter(seconds) => {
                    let seconds = u64::from(seconds.clamp(1, 3600).unsigned_abs());
                    self.disconnect_at = Some(Instant::now() + Duration::from_secs(seconds));
                }
                RpcRequest::Rpc { msg_id, body } => self.answer(msg_id, &body),
            }
        }
        Ok(())
    }

    fn answer(&mut self, msg_id: i64, body: &[u8]) {
        let was_subscribed = self.client.subscribed;
        let (served, now) = self.shared.in_world(|world, now| {
            // What the script has due comes first, or a call could be ended before it began.
            world.advance(now);
            (rpc::serve(world, self.session, &mut self.client, body, now), now)
        });
        if self.client.subscribed && !was_subscribed {
            let (number, session) = (self.number, self.session);
            let replies = self.replies.clone();
            let close = Arc::clone(&self.close);
            lock(&self.shared.connections).push(Subscriber { number, session, replies, close });
        }
        self.shared.planned.notify_one();
        let user_id = lock(&self.shared.world).user(self.session).map(|user| user.id);
        lock(&self.shared.log).write(now, user_id, &served);

        if let Some(kind) = served.response_override.invalid {
            self.send_invalid(kind);
        }
        let slow = self.shared.line.borrow().slow_until.is_some_and(|it| it > Instant::now());
        let delay = served.response_override.delay + if slow { SLOW } else { 0 };
        match served.response_override.kind {
            ResponseKind::Transport(code) => self.refused = Some(code),
            ResponseKind::Cut(millis) => self.shared.break_line(NetworkFaultKind::Refuse, millis),
            ResponseKind::Silence => {}
            _ if delay > 0 => self.answer_later(delay, Reply::result(msg_id, &served.to_bytes())),
            _ => self.link.queue(Reply::result(msg_id, &served.to_bytes())),
        }
    }

    fn answer_later(&self, millis: i64, reply: Reply) {
        let delay = Duration::from_millis(millis.unsigned_abs());
        let replies = self.replies.clone();
        tokio::spawn(async move {
            sleep(delay).await;
            // The connection may have ended meanwhile; then nobody waits for the answer.
            let _ = replies.send(reply);
        });
    }

    /// Sends what no server may send.
    fn send_invalid(&mut self, kind: InvalidMessage) {
        let body = match kind {
            InvalidMessage::WrongSession => return self.link.misaddress_next(),
            InvalidMessage::ChannelMessage => {
                let session = self.session;
                return self.shared.in_world(|world, now| world.push_channel_message(session, now));
            }
            // In the answer itself.
            InvalidMessage::Address => return,
            InvalidMessage::FutureSalt => invalid::bare_future_salt(),
            InvalidMessage::MessageCopy => invalid::message_copy(),
            InvalidMessage::InnerLength => invalid::negative_length(),
        };
        self.link.queue(Reply::service(body));
    }
}

/// Waits while the line is silent.
async fn silence(line: &mut watch::Receiver<NetworkState>) {
    loop {
        let until = line.borrow_and_update().silent_until.filter(|until| *until > Instant::now());
        match until {
            Some(until) => sleep_until(until).await,
            None => return,
        }
    }
}

/// Reads frames in a task of its own, for a read must not be given up half-way.
fn frames(mut reader: Reader<OwnedReadHalf>) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel(16);
    tokio::spawn(async move {
        loop {
            let read = tokio::select! {
                read = reader.read() => read,
                () = sender.closed() => return,
            };
            let ended = read.is_err();
            let told = match read {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return,
                read => sender.send(read).await,
            };
            if ended || told.is_err() {
                return;
            }
        }
    });
    receiver
}
