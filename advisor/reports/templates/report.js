"use strict";
document.documentElement.classList.remove("no-script");
