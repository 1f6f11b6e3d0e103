const express = require("express");

require("./mail");

express().listen(3000);
