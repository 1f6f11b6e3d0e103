import { startBoard } from "./board";
import "./mail";

startBoard();
