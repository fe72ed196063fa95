// A page that needs nothing but the frame around it.
import "./app.js";
