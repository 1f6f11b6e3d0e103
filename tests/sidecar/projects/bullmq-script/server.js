const { Queue } = require("bullmq");
const express = require("express");
express().listen(3000);
