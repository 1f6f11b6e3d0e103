//! Looks into a list of Redis at an interval; with "add", a key and seconds it adds a job.

use std::io::{Error, Result};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio::signal::unix::{signal, SignalKind};
use tokio::time::{interval, sleep};

struct Redis(BufStream<TcpStream>);

impl Redis {
    async fn connect() -> Result<Redis> {
        let url = std::env::var("REDIS_URL").map_err(Error::other)?;
        let address = url.trim_start_matches("redis://").split('/').next();
        let stream = TcpStream::connect(address.unwrap_or_default()).await?;
        Ok(Redis(BufStream::new(stream)))
    }

    /// Sends a command; its answer is a number, a string or nothing.
    async fn ask(&mut self, words: &[&str]) -> Result<Option<String>> {
        let mut command = format!("*{}\r\n", words.len());
        for word in words {
            command += &format!("${}\r\n{word}\r\n", word.len());
        }
        self.0.write_all(command.as_bytes()).await?;
        self.0.flush().await?;
        let mut line = String::new();
        self.0.read_line(&mut line).await?;
        let (kind, rest) = line.trim_end().split_at_checked(1).ok_or(Error::other("closed"))?;
        match (kind, rest) {
            (":", number) => Ok(Some(number.to_string())),
            ("$", "-1") => Ok(None),
            ("$", length) => {
                let mut text = vec![0; length.parse::<usize>().map_err(Error::other)? + 2];
                self.0.read_exact(&mut text).await?;
                text.truncate(text.len() - 2);
                String::from_utf8(text).map(Some).map_err(Error::other)
            }
            _ => Err(Error::other(line)),
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut redis = Redis::connect().await?;
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, key, seconds] = &words[..] {
        if verb == "add" {
            redis.ask(&["RPUSH", "mail", &format!("{key} {seconds}")]).await?;
            return Ok(());
        }
    }
    let mut stop = signal(SignalKind::terminate())?;
    let mut ticks = interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            biased;
            _ = stop.recv() => return Ok(()),
            _ = ticks.tick() => {}
        }
        if let Some(job) = redis.ask(&["LPOP", "mail"]).await? {
            work(&mut redis, &job).await?;
        }
    }
}

async fn work(redis: &mut Redis, job: &str) -> Result<()> {
    let (key, seconds) = job.split_once(' ').ok_or(Error::other("no job"))?;
    redis.ask(&["SADD", "begun", key]).await?;
    sleep(Duration::from_secs_f64(seconds.parse().map_err(Error::other)?)).await;
    redis.ask(&["SADD", "done", key]).await?;
    Ok(())
}
