using System.Runtime.InteropServices;

namespace Holdfast.Files.Local;

/// <summary>Native memory for what the kernel fills in: directory entries, extended attributes, link targets.</summary>
internal sealed unsafe class NativeBuffers : IDisposable
{
    /// <summary>
    /// More than the kernel's largest extended attribute, list of them (64 KiB each) and link target.
    /// </summary>
    public const int Bytes = 256 * 1024;

    private const int MaxIdle = 32;

    private readonly Lock gate = new();
    private readonly Stack<nint> idle = new();
    private bool isDisposed;

    public Rented Rent()
    {
        lock (gate)
        {
            if (idle.TryPop(out nint pointer)) return new Rented(this, (byte*)pointer);
        }

        return new Rented(this, (byte*)NativeMemory.Alloc(Bytes));
    }

    public void Dispose()
    {
        lock (gate)
        {
            isDisposed = true;
            while (idle.TryPop(out nint pointer)) NativeMemory.Free((void*)pointer);
        }
    }

    private void Return(byte* pointer)
    {
        lock (gate)
        {
            if (!isDisposed && idle.Count < MaxIdle) idle.Push((nint)pointer);
            else NativeMemory.Free(pointer);
        }
    }

    /// <summary>A buffer of <see cref="Bytes"/>, until disposed.</summary>
    public readonly ref struct Rented(NativeBuffers owner, byte* pointer) : IDisposable
    {
        public byte* Pointer { get; } = pointer;

        public void Dispose() => owner.Return(Pointer);
    }
}
