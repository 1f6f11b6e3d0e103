import express from "express";

export function startBoard() {
  createBullBoard({ queues: [] });
  express().listen(3000);
}
