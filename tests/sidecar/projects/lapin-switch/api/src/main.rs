use lapin::Channel;

fn main() {
    if std::env::var("SHOP_WORKER").is_ok() {
        channel.basic_consume("mail", "shop");
    }
    axum::serve(listener, app);
}
