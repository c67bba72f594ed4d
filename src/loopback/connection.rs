//! One TCP connection: decrypts requests, and writes responses and updates.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::call::SessionIx;
use crate::message::{MtprotoSession, Reply, RpcRequest, invalid};
use crate::scenario::{InvalidMessage, NetworkFaultKind};
use crate::transport::{FrameReader, FrameWriter};
use crate::world::{MessageFault, ResponseKind};
use crate::{NetworkState, Shared, Subscriber, crypt, handshake, lock, rpc};

/// The delay of every response during the fault `slow`, in milliseconds.
const SLOW_DELAY: i64 = 2000;

/// Serves one connection until either side ends it.
pub(crate) async fn serve(shared: Arc<Shared>, dc: i32, stream: TcpStream, id: u64) {
    let mut network = shared.network.subscribe();
    let cuts = network.borrow_and_update().cuts;
    let cut = network.wait_for(|network| network.cuts != cuts);
    tokio::select! {
        biased;
        _ = cut => {}
        ended = run_connection(&shared, dc, stream, id) => {
            if let Err(error) = ended {
                tracing::debug!(id, %error, "connection ended");
            }
        }
    }
    lock(&shared.connections).retain(|connection| connection.connection_id != id);
    lock(&shared.world).connection_closed(id);
}

async fn run_connection(
    shared: &Arc<Shared>,
    dc: i32,
    stream: TcpStream,
    connection_id: u64,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if lock(&shared.world).ends_by_reset() {
        stream.set_zero_linger()?;
    }
    let (read, write) = stream.into_split();
    let mut frames = spawn_reader(Arc::clone(shared), FrameReader::new(read));
    let mut writer = FrameWriter::new(write);
    let Some(mut first) = frames.recv().await.transpose()? else { return Ok(()) };
    while let Some(response) = handshake::respond(&first.payload, shared.protocol_now()) {
        writer.write(&response).await?;
        let Some(next) = frames.recv().await.transpose()? else { return Ok(()) };
        first = next;
    }

    let key_id: [u8; 8] = *first.payload.first_chunk().ok_or(io::ErrorKind::InvalidData)?;
    let session = lock(&shared.world).session_by_key(dc, key_id);
    let Some(session) = session else {
        // A later step of a key exchange ends here too, because this server creates no keys.
        return writer.write_error(-404).await;
    };
    let key = lock(&shared.world).sessions()[session].key.clone();
    let (replies, queue) = mpsc::unbounded_channel();
    let mtproto = MtprotoSession::new(key.clone());
    let client = rpc::ClientState::default();
    let mut connection = ServerConnection {
        shared,
        session,
        connection_id,
        mtproto,
        client,
        replies,
        close: Arc::default(),
        disconnect_at: None,
        transport_error: None,
    };
    connection.run(&key, first, &mut frames, queue, &mut writer).await
}

/// A connection whose first message uses a known key.
struct ServerConnection<'a> {
    shared: &'a Arc<Shared>,
    session: SessionIx,
    connection_id: u64,
    mtproto: MtprotoSession,
    client: rpc::ClientState,
    replies: mpsc::UnboundedSender<Reply>,
    /// Notified when the world ends the session.
    close: Arc<Notify>,
    /// When the connection closes unless another `ping_delay_disconnect` arrives before.
    disconnect_at: Option<Instant>,
    /// The code of the transport error that ends the connection, without its sign.
    transport_error: Option<u16>,
}

impl ServerConnection<'_> {
    async fn run(
        &mut self,
        key: &crypt::AuthKey,
        first: Frame,
        frames: &mut mpsc::Receiver<io::Result<Frame>>,
        mut queue: mpsc::UnboundedReceiver<Reply>,
        writer: &mut FrameWriter<OwnedWriteHalf>,
    ) -> io::Result<()> {
        let mut network = self.shared.network.subscribe();
        let mut frame = Some(first);
        loop {
            wait_while_silent(&mut network).await;
            if let Some(Frame { payload, arrival }) = frame.take() {
                let message = key.decrypt(&payload).map_err(io::Error::other)?;
                self.receive(&message, arrival)?;
            }
            while let Ok(reply) = queue.try_recv() {
                self.mtproto.queue(reply);
            }
            while let Some(payload) = self.mtproto.next_payload(self.shared.protocol_now()) {
                writer.write(&payload).await?;
            }
            if let Some(code) = self.transport_error {
                return writer.write_error(-i32::from(code)).await;
            }
            let end = self.disconnect_at;
            tokio::select! {
                biased;
                () = self.close.notified() => return Ok(()),
                received = frames.recv() => match received {
                    Some(received) => frame = Some(received?),
                    None => return Ok(()),
                },
                Some(reply) = queue.recv() => self.mtproto.queue(reply),
                () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => return Ok(()),
            }
        }
    }

    fn receive(&mut self, message: &crypt::Incoming, arrival: u64) -> io::Result<()> {
        let message_fault = lock(&self.shared.world).message_fault();
        match message_fault {
            Some(MessageFault::NewSalts) => self.mtproto.change_salts(),
            Some(MessageFault::Refuse(code)) => self.mtproto.refuse_next(code),
            None => {}
        }
        let now = self.shared.protocol_now();
        for request in self.mtproto.receive(message, now).map_err(io::Error::other)? {
            match request {
                RpcRequest::DisconnectAfter(seconds) => {
                    let seconds = u64::from(seconds.clamp(1, 3600).unsigned_abs());
                    self.disconnect_at = Some(Instant::now() + Duration::from_secs(seconds));
                }
                RpcRequest::Rpc { msg_id, body } => {
                    lock(&self.shared.world).request_arrived(
                        self.session,
                        self.connection_id,
                        arrival,
                    );
                    self.answer(msg_id, &body);
                }
            }
        }
        Ok(())
    }

    fn answer(&mut self, msg_id: i64, body: &[u8]) {
        let was_subscribed = self.client.subscribed;
        let (response, now) = self.shared.with_world(|world, now| {
            // Events of the script that are due happen before the request that arrives after them.
            world.advance(now);
            (rpc::serve(world, self.session, &mut self.client, body, now), now)
        });
        if self.client.subscribed && !was_subscribed {
            lock(&self.shared.connections).push(Subscriber {
                connection_id: self.connection_id,
                session: self.session,
                replies: self.replies.clone(),
                close: Arc::clone(&self.close),
            });
        }
        self.shared.schedule_changed.notify_one();
        let user_id = lock(&self.shared.world).user(self.session).map(|user| user.id);
        lock(&self.shared.log).write(now, user_id, &response);

        if let Some(kind) = response.overrides.invalid {
            self.send_invalid(kind);
        }
        let slow = self.shared.network.borrow().slow_until.is_some_and(|it| it > Instant::now());
        let delay = response.overrides.delay + if slow { SLOW_DELAY } else { 0 };
        match response.overrides.kind {
            ResponseKind::Transport(code) => self.transport_error = Some(code),
            ResponseKind::Cut(millis) => {
                self.shared.apply_network_fault(NetworkFaultKind::Refuse, millis);
            }
            ResponseKind::Silence => {}
            _ if delay > 0 => self.queue_after(delay, Reply::result(msg_id, &response.to_bytes())),
            _ => self.mtproto.queue(Reply::result(msg_id, &response.to_bytes())),
        }
    }

    fn queue_after(&self, millis: i64, reply: Reply) {
        let delay = Duration::from_millis(millis.unsigned_abs());
        let replies = self.replies.clone();
        tokio::spawn(async move {
            sleep(delay).await;
            // The connection may have ended meanwhile; the response is then dropped with it.
            let _ = replies.send(reply);
        });
    }

    /// Sends something that the protocol does not allow a server to send.
    fn send_invalid(&mut self, kind: InvalidMessage) {
        let body = match kind {
            InvalidMessage::WrongSession => return self.mtproto.misaddress_next_payload(),
            InvalidMessage::ChannelMessage => {
                let session = self.session;
                return self
                    .shared
                    .with_world(|world, now| world.push_channel_message(session, now));
            }
            // `help.getConfig` puts it into its own result.
            InvalidMessage::Address => return,
            InvalidMessage::FutureSalt => invalid::bare_future_salt(),
            InvalidMessage::MessageCopy => invalid::message_copy(),
            InvalidMessage::InnerLength => invalid::negative_length(),
        };
        self.mtproto.queue(Reply::service(body));
    }
}

/// Waits until no network fault `silent` is in force.
async fn wait_while_silent(network: &mut watch::Receiver<NetworkState>) {
    loop {
        let until = network.borrow_and_update().silent_until;
        let until = until.filter(|until| *until > Instant::now());
        match until {
            Some(until) => sleep_until(until).await,
            None => return,
        }
    }
}

/// A frame of the transport.
struct Frame {
    payload: Vec<u8>,
    /// Its number in the order in which frames arrive at the server.
    arrival: u64,
}

/// Reads frames in a separate task, because [`FrameReader::read`] is not cancel-safe.
fn spawn_reader(
    shared: Arc<Shared>,
    mut reader: FrameReader<OwnedReadHalf>,
) -> mpsc::Receiver<io::Result<Frame>> {
    let (sender, receiver) = mpsc::channel(16);
    tokio::spawn(async move {
        loop {
            let read = tokio::select! {
                read = reader.read() => read,
                () = sender.closed() => return,
            };
            let ended = read.is_err();
            let sent = match read {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return,
                read => {
                    let arrival = shared.next_arrival.fetch_add(1, Ordering::Relaxed);
                    sender.send(read.map(|payload| Frame { payload, arrival })).await
                }
            };
            if ended || sent.is_err() {
                return;
            }
        }
    });
    receiver
}
