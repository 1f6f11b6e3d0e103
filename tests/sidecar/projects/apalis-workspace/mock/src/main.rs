fn main() {
    web::mail::pretend();
}
