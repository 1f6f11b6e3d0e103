import express from "express";
import { work } from "./work.js";

if (process.env.RUN === "work") work();
else express().listen(3000);
