//! Runs the proof without an operating system's help but one: the exit system call.
//!
//! Everything that std and libc would bring is here: entry, allocator, panic handler and the five
//! memory functions that compiled code calls. Only this file has `unsafe` in it.
#![no_std]
#![no_main]

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

const HEAP: usize = 4 << 20;

/// A bump allocator that never frees. The proof needs a fraction of its heap.
#[repr(align(16))]
struct Bump {
    heap: core::cell::UnsafeCell<[u8; HEAP]>,
    used: AtomicUsize,
}

// SAFETY: `alloc` hands out each octet of the heap at most once, since `used` only grows.
unsafe impl Sync for Bump {}

// SAFETY: a block lies within the heap, is aligned because the heap is and offsets are rounded up
// (up to the heap's own 16), and is never handed out twice.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut used = self.used.load(Ordering::Relaxed);
        loop {
            let start = used.next_multiple_of(layout.align());
            let end = start.saturating_add(layout.size());
            if layout.align() > 16 || end > HEAP {
                return core::ptr::null_mut();
            }
            match self.used.compare_exchange_weak(used, end, Ordering::Relaxed, Ordering::Relaxed) {
                // SAFETY: `start` is within the heap.
                Ok(_) => return unsafe { self.heap.get().cast::<u8>().add(start) },
                Err(now) => used = now,
            }
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Bump =
    Bump { heap: core::cell::UnsafeCell::new([0; HEAP]), used: AtomicUsize::new(0) };

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(101)
}

/// Exit status 0: the proof holds. Other: see [`ctkip_freestanding::Failure`]; 101 is a panic.
fn prove() -> ! {
    exit(match ctkip_freestanding::run() {
        Ok(()) => 0,
        Err(failure) => failure as i32 + 1,
    })
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod host {
    use core::arch::{asm, naked_asm};

    /// Where the kernel enters. A function expects the stack as a call leaves it.
    #[unsafe(no_mangle)]
    #[unsafe(naked)]
    extern "C" fn _start() -> ! {
        extern "C" fn start() -> ! {
            super::prove()
        }
        naked_asm!("and rsp, -16", "call {start}", start = sym start)
    }

    pub(super) fn exit(status: i32) -> ! {
        // SAFETY: exit_group(2) takes a status and does not return.
        unsafe { asm!("syscall", in("rax") 231, in("rdi") status, options(noreturn, nostack)) }
    }

    // What the compiler calls for copies and comparisons, by the contracts of C. In assembly where
    // a loop would be compiled into a call to itself.

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, octets: usize) -> *mut u8 {
        // SAFETY: the caller's: both ranges are valid and do not overlap.
        unsafe {
            asm!("rep movsb", inout("rcx") octets => _, inout("rdi") to => _,
                inout("rsi") from => _, options(nostack, preserves_flags));
        }
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, octets: usize) -> *mut u8 {
        if to.addr().wrapping_sub(from.addr()) >= octets {
            // SAFETY: copying upwards never overwrites what is still to be read.
            return unsafe { memcpy(to, from, octets) };
        }
        // SAFETY: the caller's; downwards for the same reason. `octets` is at least 1 here.
        unsafe {
            asm!("std", "rep movsb", "cld", inout("rcx") octets => _,
                inout("rdi") to.wrapping_add(octets).wrapping_sub(1) => _,
                inout("rsi") from.wrapping_add(octets).wrapping_sub(1) => _, options(nostack));
        }
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memset(to: *mut u8, octet: i32, octets: usize) -> *mut u8 {
        // SAFETY: the caller's: the range is valid.
        unsafe {
            asm!("rep stosb", inout("rcx") octets => _, inout("rdi") to => _,
                in("al") octet as u8, options(nostack, preserves_flags));
        }
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, octets: usize) -> i32 {
        for index in 0..octets {
            // SAFETY: the caller's: both ranges are valid.
            let (left, right) = unsafe { (*left.add(index), *right.add(index)) };
            if left != right {
                return i32::from(left) - i32::from(right);
            }
        }
        0
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, octets: usize) -> i32 {
        // SAFETY: the caller's.
        unsafe { memcmp(left, right, octets) }
    }
}

/// On bare metal: linked, to show that nothing is missing, but not run.
#[cfg(target_os = "none")]
mod host {
    #[unsafe(no_mangle)]
    extern "C" fn _start() -> ! {
        super::prove()
    }

    pub(super) fn exit(status: i32) -> ! {
        core::hint::black_box(status);
        loop {
            core::hint::spin_loop();
        }
    }
}

use host::exit;
